package stream

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// notices asks for the notices of production.
var notices = Request{Environment: "production", Notices: true}

func TestNotices_tellThatAnAnswerMayHaveChanged(t *testing.T) {
	inHouse(t, Limits{}, func(h *house) {
		h.define("a")
		l := h.listen(notices)
		l.want(t) // it has asked for all flags before it listens
		time.Sleep(5 * time.Second)
		at := h.toggle("a", "production")
		l.want(t, "message 2")
		want := fmt.Sprintf(`{"type":"refetchEvaluation","etag":"\"%d\"","lastModified":%d}`, at, time.Now().Unix())
		if got := l.said()[0]; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		h.toggle("a", "staging") // which no answer in production shows but by its revision
		time.Sleep(5 * time.Second)
		synctest.Wait()
		l.want(t)
	})
}

func TestNotices_areFewInABurst(t *testing.T) {
	inHouse(t, Limits{}, func(h *house) {
		h.define("a")
		l := h.listen(notices)
		for range 10 {
			h.toggle("a", "production")
		}
		l.want(t, "message 2")
		time.Sleep(time.Second)
		synctest.Wait()
		l.want(t, "message 11")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		l.want(t)
	})
}

func TestNotices_areToldAgainToWhoMissedThem(t *testing.T) {
	inHouse(t, Limits{}, func(h *house) {
		h.define("a")
		h.listen(notices)
		h.toggle("a", "production")
		h.toggle("a", "staging") // of no interest here
		for id, want := range map[string][]string{"1": {"message 2"}, "2": nil, "3": {"message 2"}, "evt-1": {"message 2"}, "": nil} {
			r := notices
			r.Last = id
			h.listen(r).want(t, want...)
		}
	})
}

func TestNotices_askForANewTicketAndEndWithTheirs(t *testing.T) {
	inHouse(t, Limits{}, func(h *house) {
		r := notices
		r.Renew, r.Until = time.Now().Add(time.Minute), time.Now().Add(2*time.Minute)
		l := h.listen(r)
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if early := l.said(); len(early) > 0 {
			t.Errorf("asked too early: %s", early)
		}
		time.Sleep(46 * time.Second)
		synctest.Wait()
		if got := l.said(); len(got) != 1 || !strings.Contains(got[0], `"etag":"\"renew\""`) {
			t.Errorf("got %s", got)
		}
		time.Sleep(15 * time.Second)
		synctest.Wait()
		select {
		case err := <-l.ended:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("the stream outlives its ticket")
		}
	})
}
