package natslog

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
)

// silence is how many writes in a row a stream leaves without an answer before
// it is taken for stuck: with tryWait each, no slow disk takes so long.
const silence = 3

// Stuck names the streams of the embedded server that no longer answer writes,
// none when all is well. A disk that other programs fill does that to a stream:
// after one write that failed it takes none, says nothing, and does not get over
// it when there is room again (seen with 2.15; others go on meanwhile). Servers
// elsewhere are for others to start.
func (s *Store) Stuck() (names []string) {
	if s.pipe == nil {
		return nil
	}
	s.serving.Lock()
	defer s.serving.Unlock()
	for _, w := range s.watched {
		if w.unanswered.Load() >= silence {
			names = append(names, w.stream)
		}
	}
	return names
}

// Reopen starts the embedded server again on its files, which are read before
// as Open reads them: of a write that failed half-way a part may be there, which
// was never acknowledged. What is under way meanwhile is tried again by whoever
// asked, under the same IDs.
func (s *Store) Reopen(ctx context.Context) error {
	if s.pipe == nil {
		return errors.New("the streams are on servers elsewhere: start those again")
	}
	s.serving.Lock()
	defer s.serving.Unlock()
	s.pipe.end()
	if err := s.restart(ctx); err != nil {
		return fmt.Errorf("opening the streams again: %w", err)
	}
	for _, w := range s.watched {
		w.unanswered.Store(0)
	}
	return nil
}

func (s *Store) restart(ctx context.Context) error {
	if err := s.examine(); err != nil {
		return err
	}
	srv, err := start(s.config, s.lg)
	if err != nil {
		return err
	}
	s.pipe.srv.Store(srv)
	if err := s.reach(ctx, srv.ID()); err != nil {
		return err
	}
	return s.compare(ctx, s.config.core())
}

// reach waits until the connection has found a server. It may not have noticed
// yet that the one before has ended.
func (s *Store) reach(ctx context.Context, server string) error {
	for s.nc.Status() != nats.CONNECTED || s.nc.ConnectedServerId() != server {
		if err := rest(ctx, tryPause); err != nil {
			return err
		}
	}
	return nil
}
