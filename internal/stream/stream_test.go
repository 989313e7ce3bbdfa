package stream

import (
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// rulesets asks for the rulesets of production.
var rulesets = Request{Environment: "production"}

func after(id string) Request { return Request{Environment: "production", Last: id} }

func TestStream_beginsWithTheWholeRuleset(t *testing.T) {
	inHouse(t, Limits{}, func(h *house) {
		h.listen(rulesets).want(t, "hello", "put 0") // of a house without a flag
		at := h.define("a", "b")
		for name, id := range map[string]string{"missing": "", "unknown": "evt-12", "negative": "-1", "from the future": "999"} {
			l := h.listen(after(id))
			l.want(t, "hello", fmt.Sprint("put ", at))
			if r := l.last(t); keys(r) != "a b" || r.Revision != at || len(r.Flags[0].Environments) != 1 {
				t.Errorf("%s: got %+v", name, r)
			}
		}
	})
}

func TestStream_goesOnWhereItEnded(t *testing.T) {
	inHouse(t, Limits{}, func(h *house) {
		h.define("a", "b")
		held := h.define("c")
		h.listen(after(fmt.Sprint(held))).want(t, "hello") // it lacks nothing
		h.toggle("b", "production")
		now := h.toggle("a", "production")
		l := h.listen(after(fmt.Sprint(held)))
		l.want(t, "hello", fmt.Sprint("patch ", now))
		if r := l.last(t); keys(r) != "a b" {
			t.Errorf("got %s, want the flags that changed alone", keys(r))
		}
		next := h.toggle("c", "production")
		l.want(t, fmt.Sprint("patch ", next))
		if r := l.last(t); keys(r) != "c" {
			t.Errorf("got %s", keys(r))
		}
	})
}

func TestStream_sendsAllWhenTheGapIsLarge(t *testing.T) {
	inHouse(t, Limits{Gap: 2}, func(h *house) {
		held := h.define("a")
		h.define("b", "c")
		h.listen(after(fmt.Sprint(held))).want(t, "hello", "patch 3")
		h.define("d")
		one := h.listen(after(fmt.Sprint(held)))
		one.want(t, "hello", "put 4")
		far, _ := one.feed.catchUp(held)
		if all, _ := one.feed.catchUp(0); &far[0] != &all[0] {
			t.Error("who is too far behind has another copy of everything than who holds nothing")
		}
	})
}

func TestStream_isEncodedOnceForAll(t *testing.T) {
	inHouse(t, Limits{}, func(h *house) {
		h.define("a")
		one, two := h.listen(rulesets), h.listen(rulesets)
		h.toggle("a", "production")
		if one.at != two.at {
			t.Error("two listeners have different frames of one change")
		}
		first, _ := one.feed.catchUp(1)
		second, _ := one.feed.catchUp(1)
		if &first[0] != &second[0] {
			t.Error("two who come back at the same revision have different pieces")
		}
	})
}

func TestStream_showsThatItIsAlive(t *testing.T) {
	inHouse(t, Limits{}, func(h *house) {
		l := h.listen(rulesets)
		l.want(t, "hello", "put 0")
		time.Sleep(15*time.Second - time.Nanosecond)
		synctest.Wait()
		l.want(t)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		l.want(t, ":")
		time.Sleep(30 * time.Second)
		synctest.Wait()
		l.want(t, ":", ":")
	})
}

func TestStream_cutsWhoDoesNotRead(t *testing.T) {
	inHouse(t, Limits{}, func(h *house) {
		h.define("a")
		slow, other := h.open(rulesets), h.listen(rulesets)
		other.want(t, "hello", "put 1")
		h.toggle("a", "production")
		other.want(t, "patch 2") // nobody waits for the slow one
		time.Sleep(10 * time.Second)
		synctest.Wait()
		select {
		case err := <-slow.ended:
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("ended with %v", err)
			}
		default:
			t.Error("a listener that reads nothing is still there after its patience")
		}
		if holds := h.hub.Holds(); len(holds) != 1 || holds[2] != 1 {
			t.Errorf("streams by revision: %v, want the other one alone", holds)
		}
	})
}

// TestStream_givesWhoFellBehindOnePiece: a listener that missed changes while
// it was given one is sent what they come to.
func TestStream_givesWhoFellBehindOnePiece(t *testing.T) {
	inHouse(t, Limits{}, func(h *house) {
		h.define("a", "b", "c")
		l := h.open(after("3"))
		for range 2 {
			for _, key := range []string{"a", "b", "c"} {
				h.toggle(key, "production")
			}
		}
		l.read()
		l.want(t, "hello", "patch 9")
		if r := l.last(t); keys(r) != "a b c" {
			t.Errorf("got %s", keys(r))
		}
	})
}

func TestStream_givesALargeRulesetTimeByItsSize(t *testing.T) {
	inHouse(t, Limits{}, func(h *house) {
		theirs, ours := net.Pipe()
		defer theirs.Close()
		s := &Stream{hub: h.hub}
		sent := make(chan error, 1)
		go func() { sent <- s.send(ours, make([]byte, 3*chunk)) }()
		for range 3 {
			time.Sleep(9 * time.Second) // within the patience for each
			if _, err := theirs.Read(make([]byte, chunk)); err != nil {
				t.Fatal(err)
			}
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
	})
}

func TestHub_letsInNoMoreThanItCanBear(t *testing.T) {
	inHouse(t, Limits{Rate: 3, Open: 5}, func(h *house) {
		for range 3 {
			h.listen(rulesets)
		}
		if _, err := h.hub.Open(rulesets); !errors.Is(err, ErrBusy) {
			t.Errorf("the fourth within a second: %v", err)
		}
		time.Sleep(time.Second)
		h.listen(rulesets)
		last := h.listen(rulesets)
		if _, err := h.hub.Open(rulesets); !errors.Is(err, ErrBusy) {
			t.Errorf("the sixth at once: %v", err)
		}
		last.conn.Close()
		h.define("a") // finds out that the last has gone
		h.listen(rulesets)
	})
}

// However many pages come, SDKs are let in.
func TestHub_keepsPlacesForSDKs(t *testing.T) {
	inHouse(t, Limits{Rate: 5, Open: 10}, func(h *house) {
		let := 0
		for range 4 {
			for range 5 {
				if _, err := h.hub.Open(Request{ID: event.New().String(), Environment: "production", Notices: true}); err == nil {
					let++
				}
			}
			if _, err := h.hub.Open(notices); !errors.Is(err, ErrBusy) {
				t.Fatalf("the sixth page within a second: %v", err)
			}
			if let == 5 {
				h.listen(rulesets)
			}
			time.Sleep(time.Second)
		}
		if let != 7 {
			t.Errorf("%d pages beside one SDK have 8 of 10 places", let)
		}
		h.listen(rulesets)
		h.listen(rulesets)
		if _, err := h.hub.Open(rulesets); !errors.Is(err, ErrBusy) {
			t.Errorf("the eleventh: %v", err)
		}
	})
}

// Streams that others write are let in by the same door.
func TestHub_countsWhatOthersWrite(t *testing.T) {
	inHouse(t, Limits{Rate: 3, Open: 3}, func(h *house) {
		leave, err := h.hub.Enter(false)
		if err != nil {
			t.Fatal(err)
		}
		h.listen(rulesets)
		if _, err := h.hub.Enter(false); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		if _, err := h.hub.Open(rulesets); !errors.Is(err, ErrBusy) {
			t.Errorf("the fourth at once: %v", err)
		}
		leave()
		leave() // twice is once
		for want := range 2 {
			if _, err := h.hub.Enter(false); errors.Is(err, ErrBusy) != (want == 1) {
				t.Errorf("after one has left, stream %d: %v", want, err)
			}
		}
	})
	inHouse(t, Limits{Rate: 2}, func(h *house) {
		h.listen(rulesets)
		_, first := h.hub.Enter(false)
		if _, err := h.hub.Enter(false); first != nil || !errors.Is(err, ErrBusy) {
			t.Errorf("the third within a second: %v, %v", first, err)
		}
		h.end()
		time.Sleep(time.Second)
		if _, err := h.hub.Enter(false); !errors.Is(err, ErrBusy) {
			t.Errorf("a hub that has ended let a stream in: %v", err)
		}
	})
}

func TestHub_endsEveryStreamAtOnce(t *testing.T) {
	inHouse(t, Limits{}, func(h *house) {
		reading, behind, notices := h.listen(rulesets), h.listen(rulesets), h.listen(Request{Environment: "production", Notices: true})
		begin := time.Now()
		h.end()
		for _, l := range []*listener{reading, behind, notices} {
			if err := <-l.ended; err != nil || time.Since(begin) > 0 {
				t.Errorf("ended with %v after %v", err, time.Since(begin))
			}
		}
		if _, err := h.hub.Open(rulesets); !errors.Is(err, ErrBusy) {
			t.Errorf("a hub that has ended let a stream in: %v", err)
		}
	})
}

func TestHub_endsStreamsWhoseTokenHasEnded(t *testing.T) {
	inHouse(t, Limits{}, func(h *house) {
		asked := 0
		h.hub.MayHear = func(token, environment string, notices bool) bool {
			asked++
			return token != "revoked" || environment != "production" || notices
		}
		ended := h.listen(Request{Environment: "production", Token: "revoked"})
		for _, r := range []Request{{Environment: "production", Token: "good"}, {Environment: "production", Token: "good"}, notices} {
			h.listen(r)
		}
		time.Sleep(15 * time.Second)
		synctest.Wait()
		if err := <-ended.ended; err != nil {
			t.Error(err)
		}
		if n := len(h.hub.Counts()); asked != 3 || n != 2 {
			t.Errorf("asked %d times, and %d kinds of streams are left; want 3 and 2", asked, n)
		}
	})
}

func TestHub_endsAStreamThatIsBehind(t *testing.T) {
	inHouse(t, Limits{}, func(h *house) {
		l := h.open(rulesets) // is being greeted
		h.define("a", "b")
		h.end()
		synctest.Wait()
		l.read()
		if err := <-l.ended; err != nil {
			t.Error(err)
		}
	})
}

func TestHub_knowsWhatItsListenersHold(t *testing.T) {
	inHouse(t, Limits{}, func(h *house) {
		h.define("a", "b")
		old, quiet := h.listen(Request{Environment: "production", SDK: "go/1.0"}), h.listen(Request{Environment: "staging", SDK: "js/2.1"})
		h.listen(Request{Environment: "production", Notices: true})
		any := func(string) bool { return true }
		if err := h.hub.Acknowledge(old.request.ID, any, 2); err != nil {
			t.Fatal(err)
		}
		now := h.toggle("a", "production")
		want := []Count{
			{Environment: "production", SDK: "go/1.0", Given: now, Acknowledged: 2, Streams: 1},
			{Environment: "production", Notices: true, Given: now, Streams: 1},
			{Environment: "staging", SDK: "js/2.1", Given: now, Streams: 1},
		}
		if got := h.hub.Counts(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if got := h.hub.Holds(); fmt.Sprint(got) != "map[2:1 3:1]" {
			t.Errorf("streams by revision: %v", got)
		}
		foreign := func(environment string) bool { return environment == "production" }
		for name, err := range map[string]error{
			"unknown": h.hub.Acknowledge("none", any, 1), "foreign": h.hub.Acknowledge(quiet.request.ID, foreign, 1),
		} {
			if !errors.Is(err, ErrUnknown) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := h.hub.Acknowledge(old.request.ID, any, 1<<40); err != nil || h.hub.Holds()[now] != 2 {
			t.Errorf("acknowledging what is not there yet: %v, %v", err, h.hub.Holds())
		}
	})
}
