package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/sluice-hq/sluice/event"
)

// Letter is a dead letter: an event, or a whole message, that was accepted and
// cannot be counted, kept until a person sends it again or purges it.
type Letter struct {
	ID          string          `json:"id"` // "<shard>.<seq>.<idx>": the same fault is the same letter
	Shard       string          `json:"shard"`
	Seq         uint64          `json:"seq"`
	Idx         uint32          `json:"idx"`
	Events      uint64          `json:"events"` // that it stands for: 1, or all of a message
	Reason      Reason          `json:"reason"`
	Why         string          `json:"why"`
	Environment string          `json:"environment,omitempty"`
	Name        string          `json:"name,omitempty"` // of the metric event
	EventID     event.ID        `json:"eventId,omitzero"`
	At          time.Time       `json:"at,omitzero"`    // of the event
	Fact        json.RawMessage `json:"fact,omitzero"`  // the event, to be sent again; units as hashes
	Bytes       []byte          `json:"bytes,omitzero"` // the whole message as it was, when it cannot be read
}

// letters are what one message of the dead stream holds: many events of one
// message at once, because each message costs a write to disk.
type letters struct {
	Letters []Letter `json:"letters"`
}

// letterSize bounds a message of the dead stream; JSON of a whole pack in
// base64 stays below the stream's 1 MiB.
const letterSize = 384 << 10

// letter returns the letter of an event that the door took and no metric
// declares.
func (d Dead) letter() Letter {
	return Letter{
		ID: d.Place.id(), Shard: d.Shard, Seq: d.Seq, Idx: d.Idx, Events: 1, Reason: d.Reason, Why: d.Why,
		Environment: d.Environment, Name: d.Name, EventID: d.ID, At: d.At, Fact: d.Fact,
	}
}

func (p Place) id() string { return fmt.Sprintf("%s.%d.%d", p.Shard, p.Seq, p.Idx) }

// bury publishes letters and returns when they are on disk. They are grouped
// by message, in order; the ID of a group follows from its bytes, so that a
// repeat is the same message and a group that has grown is another.
func bury(ctx context.Context, dead Stream, list []Letter) error {
	for len(list) > 0 {
		n := fitting(list)
		data, err := json.Marshal(letters{list[:n]})
		if err != nil {
			return fmt.Errorf("encoding dead letter %s: %w", list[0].ID, err)
		}
		id := fmt.Sprintf("%s-%016x", list[0].ID, xxh3.Hash(data))
		if _, err := dead.Publish(ctx, id, data); err != nil {
			return fmt.Errorf("publishing dead letter %s: %w", list[0].ID, err)
		}
		list = list[n:]
	}
	return nil
}

// fitting returns how many letters of the first letter's message fit into one
// message of the dead stream.
func fitting(list []Letter) int {
	size := 0
	for i, l := range list {
		size += 400 + len(l.Fact) + len(l.Bytes)*4/3 + len(l.Why) + len(l.Name)
		if i > 0 && (size > letterSize || l.Shard != list[0].Shard || l.Seq != list[0].Seq) {
			return i
		}
	}
	return len(list)
}

// Letters returns the dead letters that f selects, each once, in the order of
// their shards and places.
func Letters(ctx context.Context, dead Stream, f LetterFilter) ([]Letter, error) {
	seen := map[string]bool{}
	var found []Letter
	_, err := eachLetter(ctx, dead, 0, func(l Letter) {
		if f.match(l) && !seen[l.ID] {
			seen[l.ID] = true
			found = append(found, l)
		}
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b Letter) int { return a.place().compare(b.place()) })
	return found, nil
}

// eachLetter calls f with every letter of the dead stream's messages behind
// after, repeats among them, and returns the sequence of the last message.
func eachLetter(ctx context.Context, dead Stream, after uint64, f func(Letter)) (uint64, error) {
	return eachLetterAt(ctx, dead, after, func(_ uint64, l Letter) { f(l) })
}

// eachLetterAt is eachLetter, with the sequence of each letter's message.
func eachLetterAt(ctx context.Context, dead Stream, after uint64, f func(uint64, Letter)) (uint64, error) {
	for {
		messages, err := dead.Read(ctx, after, lettersAtOnce)
		if err != nil {
			return after, fmt.Errorf("reading dead letters: %w", err)
		}
		if len(messages) == 0 {
			return after, nil
		}
		for _, m := range messages {
			in, err := openLetters(m)
			if err != nil {
				return after, err
			}
			for _, l := range in.Letters {
				f(m.Seq, l)
			}
			after = m.Seq
		}
	}
}

func openLetters(m event.Message) (in letters, err error) {
	if err := json.Unmarshal(m.Data, &in); err != nil {
		return in, fmt.Errorf("reading dead letter %s: %w", m.ID, err)
	}
	return in, nil
}

func (l Letter) place() Place { return Place{l.Shard, l.Seq, l.Idx} }
