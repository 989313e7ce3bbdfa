package server

import (
	"net/http"

	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/flags"
)

// DebugView is what one unit gets for one flag here and now, and how far this
// replica is. It shows no rules.
type DebugView struct {
	Environment string       `json:"environment"`
	Result      flags.Result `json:"result"`
	Replica     ReplicaView  `json:"replica"`
}

// ReplicaView is how far this replica is.
type ReplicaView struct {
	Seq      uint64 `json:"seq" doc:"last event of the log that it has applied"`
	Revision uint64 `json:"revision" doc:"of the newest change of a flag among them"`
	Streams  int    `json:"streams" doc:"open streams of this environment"`
	Oldest   uint64 `json:"oldest,omitempty" doc:"lowest revision that an SDK holds which listens to this replica"`
}

// debugFlag answers what a unit gets. Every word of the query but environment
// is an attribute of the context.
func (s *server) debugFlag(w http.ResponseWriter, r *http.Request) error {
	name, key := environment(r, who(r.Context())), mux.Vars(r)["key"]
	set, err := s.sets.at(name)
	if err != nil {
		return err
	}
	c := contextOf(r)
	c.Now = s.Now()
	v := DebugView{Environment: name, Result: set.Evaluate(key, &c)}
	if v.Result.Error == flags.FlagNotFound {
		return flags.ErrUnknown
	}
	streams := s.streamsSeen(func(environment string) bool { return environment == name })
	v.Replica = ReplicaView{Seq: s.Projection.Seq(), Revision: streams.Revision, Streams: streams.Open, Oldest: streams.Oldest}
	return writeJSON(w, http.StatusOK, v)
}

func contextOf(r *http.Request) flags.Context {
	c := flags.Context{Attributes: map[string]any{}}
	for name, values := range r.URL.Query() {
		switch name {
		case "environment":
		case flags.TargetingKey:
			c.TargetingKey = values[0]
		default:
			c.Attributes[name] = values[0]
		}
	}
	return c
}
