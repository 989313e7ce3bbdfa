package server

import (
	"context"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/replica"
)

// ReplicasView says which replicas there are, and who holds what.
type ReplicasView struct {
	Self     string          `json:"self" doc:"ID of the replica that answers"`
	Standing replica.Verdict `json:"standing" doc:"how it stands among the others"`
	Replicas []PeerView      `json:"replicas"`
}

// PeerView is what one replica said of itself last.
type PeerView struct {
	ID      string         `json:"id" doc:"of the process; another one after every start"`
	Name    string         `json:"name" doc:"where it runs"`
	Code    string         `json:"code" doc:"of its program; replicas of different ones are not compared"`
	Started time.Time      `json:"started"`
	At      time.Time      `json:"at" doc:"when it said so"`
	Seq     uint64         `json:"seq" doc:"sequence of the last event that it has applied"`
	Since   time.Time      `json:"since" doc:"when it was first seen there"`
	Marks   []event.Mark   `json:"marks" doc:"sequences at which it has hashed its state, oldest first"`
	Streams map[string]int `json:"streams,omitempty" doc:"connected clients by the revision that they hold"`
	Out     string         `json:"out,omitempty" doc:"why it has taken itself out of readiness"`
}

type replicasOut struct{ Body ReplicasView }

// listReplicas tells what stands on the replicas' board.
func (s *server) listReplicas(context.Context, *struct{}) (*replicasOut, error) {
	out := &replicasOut{Body: ReplicasView{Replicas: []PeerView{}}}
	if s.Replica == nil {
		return out, nil
	}
	self, standing, reports := s.Replica.Seen()
	out.Body.Self, out.Body.Standing = self, standing
	for _, r := range reports {
		out.Body.Replicas = append(out.Body.Replicas, viewPeer(r))
	}
	return out, nil
}

func viewPeer(r replica.Report) PeerView {
	v := PeerView{
		ID: r.ID, Name: r.Name, Code: r.Code, Started: r.Started, At: r.At, Seq: r.Seq, Since: r.Since, Marks: r.Marks, Out: r.Out,
		Streams: map[string]int{},
	}
	for revision, n := range r.Streams {
		v.Streams[strconv.FormatUint(revision, 10)] = n
	}
	return v
}
