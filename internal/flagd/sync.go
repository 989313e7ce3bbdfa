package flagd

import (
	"context"
	"errors"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/structpb"

	syncv1 "github.com/sluice-hq/sluice/internal/flagd/gen/sync/v1"
)

// syncV1 hands out all flags of an environment.
type syncV1 struct{ *Handler }

// SyncFlags sends the flags at once, and all of them again after each change
// that shows in them.
func (s syncV1) SyncFlags(ctx context.Context, r *connect.Request[syncv1.SyncFlagsRequest], stream *connect.ServerStream[syncv1.SyncFlagsResponse]) error {
	environment, err := s.syncing(ctx, r.Msg)
	if err != nil {
		return err
	}
	err = s.snapshots(ctx, environment, func(document string) error {
		return s.deliver(ctx, func() error {
			return stream.Send(&syncv1.SyncFlagsResponse{FlagConfiguration: document, SyncContext: &structpb.Struct{}})
		})
	})
	if errors.Is(err, errClosing) {
		return connect.NewError(connect.CodeUnavailable, err) // upon which providers come back
	}
	return err
}

// snapshots sends each document that differs from the one before.
func (h *Handler) snapshots(ctx context.Context, environment string, send func(document string) error) error {
	var last string // no document is empty
	return h.follow(ctx, listener{environment: environment, rules: true, step: func() error {
		next, err := h.documents.at(environment)
		if err != nil || next == last {
			return err
		}
		last = next
		return send(next)
	}, idle: func() error { return nil }})
}

// FetchAllFlags returns the flags as they are now.
func (s syncV1) FetchAllFlags(ctx context.Context, r *connect.Request[syncv1.FetchAllFlagsRequest]) (*connect.Response[syncv1.FetchAllFlagsResponse], error) {
	environment, err := s.syncing(ctx, r.Msg)
	if err != nil {
		return nil, err
	}
	document, err := s.documents.at(environment)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&syncv1.FetchAllFlagsResponse{FlagConfiguration: document}), nil
}

// GetMetadata is what older providers ask for: attributes that the server adds
// to every context. Sluice adds none.
func (s syncV1) GetMetadata(context.Context, *connect.Request[syncv1.GetMetadataRequest]) (*connect.Response[syncv1.GetMetadataResponse], error) {
	return connect.NewResponse(&syncv1.GetMetadataResponse{Metadata: &structpb.Struct{}}), nil
}

// syncing returns the environment of a request whose body may name one. That
// name is asked about here: whoever let the request in has not read the body.
func (s syncV1) syncing(ctx context.Context, r interface{ GetSelector() string }) (string, error) {
	c := callOf(ctx)
	named, err := parseSelector(r.GetSelector())
	switch {
	case c.selected:
		return c.environment, nil
	case err != nil:
		return "", connect.NewError(connect.CodeInvalidArgument, err)
	case named == "":
		return c.environment, nil
	}
	if err := s.MaySync(ctx, named); err != nil {
		return "", connect.NewError(connect.CodePermissionDenied, err)
	}
	return named, nil
}
