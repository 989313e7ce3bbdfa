package flagd

import (
	"context"
	"errors"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/sluice-hq/sluice/flags"
)

// The types of the messages of an event stream.
const (
	providerReady       = "provider_ready"
	configurationChange = "configuration_change"
	keepAlive           = "keep_alive"
	providerShutdown    = "provider_shutdown"
)

// events streams what happens to the flags of the call's environment, in the
// messages of one version of the service.
func events[R any, M message[R]](ctx context.Context, h *Handler, stream *connect.ServerStream[R]) error {
	return h.tell(ctx, callOf(ctx).environment, func(kind string, data *structpb.Struct) error {
		response := new(R)
		m := M(response).ProtoReflect()
		fields := m.Descriptor().Fields()
		m.Set(fields.ByName("type"), protoreflect.ValueOfString(kind))
		if data != nil {
			m.Set(fields.ByName("data"), protoreflect.ValueOfMessage(data.ProtoReflect()))
		}
		return h.deliver(ctx, func() error { return stream.Send(response) })
	})
}

// tell says that the provider is ready, then which flags have changed.
// Providers forget the answers they keep for the flags that are named, so a
// flag may be named in vain, but none may be missed.
func (h *Handler) tell(ctx context.Context, environment string, send func(kind string, data *structpb.Struct) error) error {
	var last *flags.Set
	err := h.follow(ctx, listener{environment: environment, step: func() error {
		set, err := h.Set(environment)
		if err != nil {
			return h.unavailable(environment, err)
		}
		before := last
		last = set
		switch {
		case before == nil:
			return send(providerReady, nil)
		case !set.Since(before).Empty():
			return send(configurationChange, changed(set.Since(before)))
		}
		return nil
	}, idle: func() error { return send(keepAlive, nil) }})
	if errors.Is(err, errClosing) {
		return send(providerShutdown, nil)
	}
	return err
}

// changed is the data of a change: {"flags": {"key": {"type": "update"}}}.
func changed(t flags.Turnover) *structpb.Struct {
	all := map[string]*structpb.Value{}
	for kind, keys := range map[string][]string{"write": t.Added, "update": t.Changed, "delete": t.Removed} {
		for _, key := range keys {
			all[key] = object(map[string]*structpb.Value{"type": structpb.NewStringValue(kind)})
		}
	}
	return &structpb.Struct{Fields: map[string]*structpb.Value{"flags": object(all)}}
}

func object(fields map[string]*structpb.Value) *structpb.Value {
	return structpb.NewStructValue(&structpb.Struct{Fields: fields})
}
