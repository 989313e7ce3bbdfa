package natslog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/sluice-hq/sluice/event"
)

const (
	pageMessages = 1000
	pageBytes    = 4 << 20
)

// stored is one message as a stream keeps it.
type stored struct {
	seq     uint64
	subject string
	id      string
	data    []byte
	traces  []string
}

// request asks a stream for messages; the names are JetStream's.
type request struct {
	Seq     uint64 `json:"seq,omitempty"`
	Batch   int    `json:"batch,omitempty"`
	Bytes   int    `json:"max_bytes,omitempty"`
	Subject string `json:"last_by_subj,omitempty"`
}

// last returns the sequence of the stream's newest message.
func (w *wire) last(ctx context.Context) (uint64, error) {
	info, err := w.info(ctx)
	if err != nil {
		return 0, err
	}
	return info.State.LastSeq, nil
}

func (w *wire) info(ctx context.Context) (*jetstream.StreamInfo, error) {
	st, err := w.js.Stream(ctx, w.stream) // asks the server each time
	if err != nil {
		return nil, fmt.Errorf("asking for the end of %s: %w", w.stream, err)
	}
	return st.CachedInfo(), nil
}

// settleWait is how long a cluster may say that a message is not there which
// is: a server that has just become the leader answers before it has applied
// all that it holds.
const settleWait = 30 * time.Second

// read returns the messages from after+1 on, at least one, at most limit,
// without a gap. The caller knows that after+1 was written: when it is not
// there, and on a cluster stays away, that is event.ErrDamaged.
func (w *wire) read(ctx context.Context, after uint64, limit int) ([]stored, error) {
	settled := time.Now().Add(w.doubt)
	for pause := time.Millisecond; ; pause = min(2*pause, time.Second) {
		page, err := w.page(ctx, after, limit)
		if err != nil {
			return nil, fmt.Errorf("reading %s after %d: %w", w.stream, after, err)
		}
		if n := contiguous(page, after); n > 0 {
			return page[:n], nil
		}
		err = w.absent(ctx, after+1)
		if err == nil || errors.Is(err, event.ErrDamaged) && time.Now().Before(settled) {
			err = rest(ctx, pause) // the replica that answered lags
		}
		if err != nil {
			return nil, err
		}
	}
}

// contiguous returns how many messages follow one another behind after.
func contiguous(page []stored, after uint64) int {
	for i, m := range page {
		if m.seq != after+uint64(i)+1 {
			return i
		}
	}
	return len(page)
}

// page asks once for the messages behind a sequence. JetStream passes over
// what it cannot read.
func (w *wire) page(ctx context.Context, after uint64, limit int) ([]stored, error) {
	ctx, cancel := context.WithTimeout(ctx, tryWait)
	defer cancel()
	inbox := w.nc.NewInbox()
	sub, err := w.nc.SubscribeSync(inbox)
	if err != nil {
		return nil, err
	}
	defer sub.Unsubscribe()
	ask, _ := json.Marshal(request{Seq: after + 1, Batch: min(limit, pageMessages), Bytes: pageBytes}) // cannot fail: numbers
	if err := w.nc.PublishRequest("$JS.API.DIRECT.GET."+w.stream, inbox, ask); err != nil {
		return nil, err
	}
	var page []stored
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return nil, err
		}
		switch status := m.Header.Get("Status"); status {
		case "":
		case "204", "404": // the end of the batch; nothing there
			return page, nil
		default:
			return nil, fmt.Errorf("the server answers %s %s", status, m.Header.Get("Description"))
		}
		one, err := direct(m)
		if err != nil {
			return nil, err
		}
		page = append(page, one)
	}
}

func direct(m *nats.Msg) (stored, error) {
	seq, err := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
	if err != nil {
		return stored{}, fmt.Errorf("reading the sequence of a message: %w", err)
	}
	return stored{seq: seq, subject: m.Header.Get("Nats-Subject"), id: m.Header.Get(nats.MsgIdHdr), data: m.Data, traces: m.Header[traceHeader]}, nil
}

// absent asks the stream's leader for one message and returns
// event.ErrDamaged when it is not there, nil when it is.
func (w *wire) absent(ctx context.Context, seq uint64) error {
	_, err := w.lookUp(ctx, request{Seq: seq})
	if errors.Is(err, event.ErrNotFound) {
		return fmt.Errorf("%w: %s %d of %s is missing", event.ErrDamaged, w.what, seq, w.stream)
	}
	return err
}

// lookUp asks the stream's leader, which never lags, for one message. It
// returns event.ErrNotFound when there is none.
func (w *wire) lookUp(ctx context.Context, r request) (stored, error) {
	ask, _ := json.Marshal(r) // cannot fail: a text and numbers
	ctx, cancel := context.WithTimeout(ctx, tryWait)
	defer cancel()
	m, err := w.nc.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+w.stream, ask)
	if err != nil {
		return stored{}, fmt.Errorf("reading %s: %w", w.stream, err)
	}
	var answer struct {
		Error   *jetstream.APIError `json:"error"`
		Message struct {
			Seq     uint64 `json:"seq"`
			Subject string `json:"subject"`
			Data    []byte `json:"data"`
		} `json:"message"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return stored{}, fmt.Errorf("reading %s: %w", w.stream, err)
	}
	if e := answer.Error; e != nil && e.ErrorCode == jetstream.JSErrCodeMessageNotFound {
		return stored{}, event.ErrNotFound
	} else if e != nil {
		return stored{}, fmt.Errorf("reading %s: %w", w.stream, e)
	}
	return stored{seq: answer.Message.Seq, subject: answer.Message.Subject, data: answer.Message.Data}, nil
}
