package flagd

import (
	"context"

	"connectrpc.com/connect"

	evaluationv1 "github.com/sluice-hq/sluice/internal/flagd/gen/evaluation/v1"
)

// evaluationV1 is flagd.evaluation.v1, which most providers speak.
type evaluationV1 struct{ *Handler }

// ResolveBoolean answers a flag whose value is true or false.
func (s evaluationV1) ResolveBoolean(ctx context.Context, r *connect.Request[evaluationv1.ResolveBooleanRequest]) (*connect.Response[evaluationv1.ResolveBooleanResponse], error) {
	return resolve[evaluationv1.ResolveBooleanResponse](ctx, s.Handler, r.Msg)
}

// ResolveString answers a flag whose value is text.
func (s evaluationV1) ResolveString(ctx context.Context, r *connect.Request[evaluationv1.ResolveStringRequest]) (*connect.Response[evaluationv1.ResolveStringResponse], error) {
	return resolve[evaluationv1.ResolveStringResponse](ctx, s.Handler, r.Msg)
}

// ResolveInt answers a flag whose value is a number without a fraction.
func (s evaluationV1) ResolveInt(ctx context.Context, r *connect.Request[evaluationv1.ResolveIntRequest]) (*connect.Response[evaluationv1.ResolveIntResponse], error) {
	return resolve[evaluationv1.ResolveIntResponse](ctx, s.Handler, r.Msg)
}

// ResolveFloat answers a flag whose value is a number.
func (s evaluationV1) ResolveFloat(ctx context.Context, r *connect.Request[evaluationv1.ResolveFloatRequest]) (*connect.Response[evaluationv1.ResolveFloatResponse], error) {
	return resolve[evaluationv1.ResolveFloatResponse](ctx, s.Handler, r.Msg)
}

// ResolveObject answers a flag whose value is an object.
func (s evaluationV1) ResolveObject(ctx context.Context, r *connect.Request[evaluationv1.ResolveObjectRequest]) (*connect.Response[evaluationv1.ResolveObjectResponse], error) {
	return resolve[evaluationv1.ResolveObjectResponse](ctx, s.Handler, r.Msg)
}

// ResolveAll answers all flags.
func (s evaluationV1) ResolveAll(ctx context.Context, r *connect.Request[evaluationv1.ResolveAllRequest]) (*connect.Response[evaluationv1.ResolveAllResponse], error) {
	return resolveAll[evaluationv1.ResolveAllResponse](ctx, s.Handler, r.Msg.GetContext())
}

// EventStream says which flags change.
func (s evaluationV1) EventStream(ctx context.Context, _ *connect.Request[evaluationv1.EventStreamRequest], stream *connect.ServerStream[evaluationv1.EventStreamResponse]) error {
	return events(ctx, s.Handler, stream)
}
