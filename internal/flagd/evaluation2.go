package flagd

import (
	"context"

	"connectrpc.com/connect"

	evaluationv2 "github.com/sluice-hq/sluice/internal/flagd/gen/evaluation/v2"
)

// evaluationV2 is flagd.evaluation.v2, in which an answer need not have a value.
// It cannot ask for all flags.
type evaluationV2 struct{ *Handler }

// ResolveBoolean answers a flag whose value is true or false.
func (s evaluationV2) ResolveBoolean(ctx context.Context, r *connect.Request[evaluationv2.ResolveBooleanRequest]) (*connect.Response[evaluationv2.ResolveBooleanResponse], error) {
	return resolve[evaluationv2.ResolveBooleanResponse](ctx, s.Handler, r.Msg)
}

// ResolveString answers a flag whose value is text.
func (s evaluationV2) ResolveString(ctx context.Context, r *connect.Request[evaluationv2.ResolveStringRequest]) (*connect.Response[evaluationv2.ResolveStringResponse], error) {
	return resolve[evaluationv2.ResolveStringResponse](ctx, s.Handler, r.Msg)
}

// ResolveInt answers a flag whose value is a number without a fraction.
func (s evaluationV2) ResolveInt(ctx context.Context, r *connect.Request[evaluationv2.ResolveIntRequest]) (*connect.Response[evaluationv2.ResolveIntResponse], error) {
	return resolve[evaluationv2.ResolveIntResponse](ctx, s.Handler, r.Msg)
}

// ResolveFloat answers a flag whose value is a number.
func (s evaluationV2) ResolveFloat(ctx context.Context, r *connect.Request[evaluationv2.ResolveFloatRequest]) (*connect.Response[evaluationv2.ResolveFloatResponse], error) {
	return resolve[evaluationv2.ResolveFloatResponse](ctx, s.Handler, r.Msg)
}

// ResolveObject answers a flag whose value is an object.
func (s evaluationV2) ResolveObject(ctx context.Context, r *connect.Request[evaluationv2.ResolveObjectRequest]) (*connect.Response[evaluationv2.ResolveObjectResponse], error) {
	return resolve[evaluationv2.ResolveObjectResponse](ctx, s.Handler, r.Msg)
}

// EventStream says which flags change.
func (s evaluationV2) EventStream(ctx context.Context, _ *connect.Request[evaluationv2.EventStreamRequest], stream *connect.ServerStream[evaluationv2.EventStreamResponse]) error {
	return events(ctx, s.Handler, stream)
}
