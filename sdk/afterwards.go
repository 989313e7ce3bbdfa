package sdk

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"time"
)

// ackTimeout bounds an acknowledgement: the next one says more.
const ackTimeout = 5 * time.Second

// saveEvery is how often the last-known file is written at most: it is written
// whole, however little has changed.
const saveEvery = time.Second

// afterwards does what evaluations do not wait for: it acknowledges what they
// answer from, for the proof of a rollback, and writes it down. What is not
// written down at the end is by whoever ends the run.
func (p *Provider) afterwards(ctx context.Context, r *run) {
	var early <-chan time.Time // to write again; nil: it is not
	for unsaved := false; ; {
		select {
		case <-r.settled:
			p.acknowledge(ctx)
			unsaved = true
		case <-early:
			early = nil
		case <-ctx.Done():
			return
		}
		if unsaved && early == nil {
			p.save(r.dir)
			unsaved, early = false, time.After(saveEvery)
		}
	}
}

// acknowledge tells the server which revision evaluations answer from. What goes
// wrong is no harm: what was written to a stream is counted anyway.
func (p *Provider) acknowledge(ctx context.Context) {
	s, stream := p.held.Load(), p.stream.Load()
	if s == nil || stream == nil || len(s.missing()) > 0 { // flags that wait for a list are older
		return
	}
	ctx, stop := context.WithTimeout(ctx, ackTimeout)
	defer stop()
	body := fmt.Appendf(nil, `{"revision":%d}`, s.ruleset.Revision)
	answer, err := p.api.do(ctx, http.MethodPost, "/api/v1/stream/"+*stream+"/ack", http.Header{"Content-Type": {"application/json"}}, bytes.NewReader(body))
	if err != nil {
		p.config.log().Debug("a revision was not acknowledged", "revision", s.ruleset.Revision, "error", err)
		return
	}
	_ = answer.Body.Close()
}

// save writes the last-known file into the folder of this process, if it has one.
func (p *Provider) save(dir string) {
	s := p.held.Load()
	if s == nil || dir == "" {
		return
	}
	b, err := p.head(s).encode(s.all())
	if err == nil {
		err = writeWhole(filepath.Join(dir, lastKnownFile), b)
	}
	if err != nil {
		p.config.log().Error("the last-known flags could not be written down; a start without the server would be with older ones", "error", err)
	}
}
