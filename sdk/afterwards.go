package sdk

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"
)

// ackTimeout bounds an acknowledgement: the next one says more.
const ackTimeout = 5 * time.Second

// afterwards does what evaluations do not wait for: it acknowledges what they
// answer from, for the proof of a rollback, and writes it down.
func (p *Provider) afterwards(ctx context.Context, settled <-chan struct{}) {
	for wait(ctx, 0, settled, nil) {
		p.acknowledge(ctx)
		p.save()
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

// save writes the last-known file.
func (p *Provider) save() {
	s, path := p.held.Load(), p.file(lastKnownFile)
	if s == nil || path == "" {
		return
	}
	b, err := p.known(s).encode()
	if err == nil {
		err = writeWhole(path, b)
	}
	if err != nil {
		p.config.log().Error("the last-known flags could not be written down; a start without the server would be with older ones", "error", err)
	}
}
