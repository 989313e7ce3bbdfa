package event

import (
	"encoding/json"
	"fmt"
)

// Audit is a Chain that checks seals too: what a seal says of an earlier place
// must be what the log has there. The zero Audit is ready for sequence 1.
type Audit struct {
	Chain
	Seals Seals
	heads []Hash // heads[i] is the head at Seals.Last.Seq+1+i: what the next seal may name
}

// Next checks that r is the event that follows and, when it is a seal, that it
// seals this log. The error wraps ErrDamaged and names the first event that
// fails.
func (a *Audit) Next(r Recorded) error {
	if err := a.Chain.Next(r); err != nil {
		return err
	}
	a.heads = append(a.heads, a.Head)
	if r.Type != SealType {
		return nil
	}
	return a.seal(r)
}

// seal checks the place that r names and forgets the heads before it: the
// sequence that a seal expects makes seals ascend.
func (a *Audit) seal(r Recorded) error {
	var m Mark
	if err := json.Unmarshal(r.Data, &m); err != nil {
		return fmt.Errorf("%w: seal %d cannot be read: %v", ErrDamaged, r.Seq, err)
	}
	from := a.Seals.Last.Seq
	if m.Seq <= from || m.Seq >= r.Seq {
		return fmt.Errorf("%w: seal %d names event %d, which is not between the last seal and itself", ErrDamaged, r.Seq, m.Seq)
	}
	if a.heads[m.Seq-from-1] != m.Head {
		return fmt.Errorf("%w: event %d or one before it is not what seal %d sealed", ErrDamaged, m.Seq, r.Seq)
	}
	a.heads = append([]Hash(nil), a.heads[m.Seq-from:]...)
	return a.Seals.Apply(r)
}
