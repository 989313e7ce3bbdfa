package flagd

import (
	"context"
	"encoding/json"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/sluice-hq/sluice/flags"
)

// question is what every Resolve request has.
type question interface {
	GetFlagKey() string
	GetContext() *structpb.Struct
}

// message is a pointer to a response, so that a response can be made.
type message[R any] interface {
	*R
	proto.Message
}

// resolve answers one flag. The type of the response says which type of value
// is asked for.
func resolve[R any, M message[R]](ctx context.Context, h *Handler, q question) (*connect.Response[R], error) {
	set, c, err := h.evaluation(ctx, q.GetContext())
	if err != nil {
		return nil, err
	}
	_, body := set.OFREP(q.GetFlagKey(), &c)
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, h.unexpected("reading an answer", err)
	}
	response := new(R)
	if err := a.resolve(M(response).ProtoReflect()); err != nil {
		return nil, err
	}
	h.answered(set, q.GetFlagKey(), &c)
	return connect.NewResponse(response), nil
}

// resolveAll answers all flags. Those that leave the value to the code of
// whoever asks are left out, as flagd leaves them out.
func resolveAll[R any, M message[R]](ctx context.Context, h *Handler, attributes *structpb.Struct) (*connect.Response[R], error) {
	set, c, err := h.evaluation(ctx, attributes)
	if err != nil {
		return nil, err
	}
	body, _ := set.OFREPBulk(&c)
	var bulk struct {
		Flags    []answer  `json:"flags"`
		Metadata *metadata `json:"metadata"`
	}
	if err := json.Unmarshal(body, &bulk); err != nil {
		return nil, h.unexpected("reading the answers", err)
	}
	response := M(new(R)).ProtoReflect()
	fields := response.Descriptor().Fields()
	all := response.Mutable(fields.ByName("flags")).Map()
	for _, a := range bulk.Flags {
		if a.Value == nil {
			continue
		}
		flag := all.NewValue()
		a.anyFlag(flag.Message())
		all.Set(protoreflect.ValueOfString(a.Key).MapKey(), flag)
	}
	if field := fields.ByName("metadata"); field != nil { // schema.v1 has none
		response.Set(field, bulk.Metadata.message())
	}
	return connect.NewResponse((*R)(response.Interface().(M))), nil
}

// evaluation returns what both need: the flags of the call's environment and
// the context.
func (h *Handler) evaluation(ctx context.Context, attributes *structpb.Struct) (*flags.Set, flags.Context, error) {
	environment := callOf(ctx).environment
	set, err := h.Set(environment)
	if err != nil {
		return nil, flags.Context{}, h.unavailable(environment, err)
	}
	c, failure := flags.NewContext(attributes.AsMap())
	if failure != nil {
		return nil, flags.Context{}, unreadable(failure)
	}
	c.Now = h.Now()
	return set, c, nil
}

// unexpected logs what a client is not told.
func (h *Handler) unexpected(doing string, err error) error {
	h.log.Error(doing, "error", err)
	return unforeseen()
}
