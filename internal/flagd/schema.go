package flagd

import (
	"context"

	"connectrpc.com/connect"

	schemav1 "github.com/sluice-hq/sluice/internal/flagd/gen/schema/v1"
)

// schemaV1 is schema.v1, the name of flagd.evaluation.v1 before it had one.
type schemaV1 struct{ *Handler }

// ResolveBoolean answers a flag whose value is true or false.
func (s schemaV1) ResolveBoolean(ctx context.Context, r *connect.Request[schemav1.ResolveBooleanRequest]) (*connect.Response[schemav1.ResolveBooleanResponse], error) {
	return resolve[schemav1.ResolveBooleanResponse](ctx, s.Handler, r.Msg)
}

// ResolveString answers a flag whose value is text.
func (s schemaV1) ResolveString(ctx context.Context, r *connect.Request[schemav1.ResolveStringRequest]) (*connect.Response[schemav1.ResolveStringResponse], error) {
	return resolve[schemav1.ResolveStringResponse](ctx, s.Handler, r.Msg)
}

// ResolveInt answers a flag whose value is a number without a fraction.
func (s schemaV1) ResolveInt(ctx context.Context, r *connect.Request[schemav1.ResolveIntRequest]) (*connect.Response[schemav1.ResolveIntResponse], error) {
	return resolve[schemav1.ResolveIntResponse](ctx, s.Handler, r.Msg)
}

// ResolveFloat answers a flag whose value is a number.
func (s schemaV1) ResolveFloat(ctx context.Context, r *connect.Request[schemav1.ResolveFloatRequest]) (*connect.Response[schemav1.ResolveFloatResponse], error) {
	return resolve[schemav1.ResolveFloatResponse](ctx, s.Handler, r.Msg)
}

// ResolveObject answers a flag whose value is an object.
func (s schemaV1) ResolveObject(ctx context.Context, r *connect.Request[schemav1.ResolveObjectRequest]) (*connect.Response[schemav1.ResolveObjectResponse], error) {
	return resolve[schemav1.ResolveObjectResponse](ctx, s.Handler, r.Msg)
}

// ResolveAll answers all flags.
func (s schemaV1) ResolveAll(ctx context.Context, r *connect.Request[schemav1.ResolveAllRequest]) (*connect.Response[schemav1.ResolveAllResponse], error) {
	return resolveAll[schemav1.ResolveAllResponse](ctx, s.Handler, r.Msg.GetContext())
}

// EventStream says which flags change.
func (s schemaV1) EventStream(ctx context.Context, _ *connect.Request[schemav1.EventStreamRequest], stream *connect.ServerStream[schemav1.EventStreamResponse]) error {
	return events(ctx, s.Handler, stream)
}
