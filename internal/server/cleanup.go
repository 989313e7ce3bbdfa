package server

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/flags"
)

// CleanupView is how far the end of a rollout's flag is.
type CleanupView struct {
	Rollout     string                 `json:"rollout"`
	Flag        string                 `json:"flag"`
	Environment string                 `json:"environment"`
	Owner       string                 `json:"owner"`
	State       decisions.CleanupState `json:"state" doc:"open while the rollout goes on, waiting until it is due, due, closed"`
	EndState    flags.EndState         `json:"endState" doc:"what becomes of the flag; what was rolled back is removed"`
	Winner      string                 `json:"winner" doc:"the variant that everybody gets in the end"`
	Due         *time.Time             `json:"due,omitempty" doc:"absent while the rollout goes on"`
	Ticket      string                 `json:"ticket,omitempty" doc:"link"`
	Reminded    int                    `json:"reminded,omitempty" doc:"how often"`
	Carried     *decisions.Carried     `json:"carried,omitempty" doc:"the change that carried the end state out"`
	Closed      *decisions.Closed      `json:"closed,omitempty"`
	Readiness   decisions.Readiness    `json:"readiness"`
	Seen        flags.Seen             `json:"seen" doc:"when the flag was last asked for in the environment"`
	References  map[string]int         `json:"references,omitempty" doc:"places in the code by repository, as the newest scans found them; absent when none was scanned"`
}

// cleanupView returns the cleanup of a rollout, as whoever asks may see it. Call
// it in a View.
func (s *server) cleanupView(ctx context.Context, r decisions.Rollout) CleanupView {
	f, _ := s.Flags.Flag(r.Plan.Flag)
	v := CleanupView{
		Rollout: r.ID, Flag: r.Plan.Flag, Environment: r.Plan.Environment, Owner: r.Plan.Owner, State: r.CleanupState(s.Now()),
		EndState: r.EndState(), Winner: r.Winner(f), Reminded: r.Reminded, Carried: r.Carried, Closed: r.Closed, Readiness: s.readinessFor(ctx, r, f),
	}
	if due := r.CleanupDue(); !due.IsZero() {
		v.Due = &due
	}
	if r.Plan.Cleanup != nil {
		v.Ticket = r.Plan.Cleanup.Ticket
	}
	v.Seen = s.seen(r.Plan.Environment, r.Plan.Flag)
	for _, scan := range s.Flags.Scans() {
		if v.References == nil {
			v.References = map[string]int{}
		}
		v.References[scan.Repository] = scan.Counts[r.Plan.Flag]
	}
	return v
}

// readinessFor is readiness as whoever asks may know it. Call it in a View.
func (s *server) readinessFor(ctx context.Context, r decisions.Rollout, f flags.Recorded) decisions.Readiness {
	return s.readiness(r, f).Within(func(environment string) bool { return sees(ctx, environment, f.Key) })
}

// readiness says what speaks against ending a flag. Call it in a View.
func (s *server) readiness(r decisions.Rollout, f flags.Recorded) decisions.Readiness {
	u := decisions.Uses{Seen: map[string]flags.Seen{}, References: s.Flags.References(f.Key), Dependants: s.Flags.Dependants(f.Key)}
	for _, name := range slices.Sorted(maps.Keys(f.Environments)) {
		u.Seen[name] = s.seen(name, f.Key)
		if newest, ok := s.Rollouts.Newest(name, f.Key); ok {
			u.Newest = append(u.Newest, newest)
		}
	}
	return r.Readiness(f, u, s.Now())
}

type cleanupsIn struct {
	Page
	Environment string `query:"environment" doc:"of one environment alone"`
	State       string `query:"state" enum:"open,waiting,due,closed" doc:"all when absent"`
}

type cleanupsOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		Cleanups []CleanupView `json:"cleanups" doc:"by environment and flag"`
		Next     string        `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

// listCleanups lists the flags that have to end some time.
func (s *server) listCleanups(ctx context.Context, in *cleanupsIn) (*cleanupsOut, error) {
	if err := s.mayList(ctx, in.Environment); err != nil {
		return nil, err
	}
	var all []CleanupView
	s.Projection.View(func(uint64) {
		for _, r := range s.Rollouts.Cleanups() {
			p := r.Plan
			if !sees(ctx, p.Environment, p.Flag) || in.Environment != "" && in.Environment != p.Environment {
				continue
			}
			if v := s.cleanupView(ctx, r); in.State == "" || in.State == string(v.State) {
				all = append(all, v)
			}
		}
	})
	out := &cleanupsOut{}
	page, next, err := cut(in.Page, rising("cleanups", placeOfCleanup), all)
	out.Body.Cleanups, out.Body.Next, out.Link = page, next.cursor, next.link
	return out, err
}

func placeOfCleanup(v CleanupView) string {
	_, _, n, _ := decisions.SplitID(v.Rollout) // the state has it from that room
	return fmt.Sprintf("%s\x00%010d", decisions.Subject(v.Environment, v.Flag), n)
}

type cleanupOut struct{ Body CleanupView }

func (s *server) getCleanup(ctx context.Context, in *RolloutPath) (*cleanupOut, error) {
	v, err := s.view(in.String())
	if err != nil {
		return nil, err
	}
	out := &cleanupOut{}
	s.Projection.View(func(uint64) { out.Body = s.cleanupView(ctx, v.Rollout) })
	return out, nil
}

// cleanupTicket writes the text of a ticket for whoever takes the flag out of
// the code.
func (s *server) cleanupTicket(w http.ResponseWriter, r *http.Request) error {
	number, err := strconv.Atoi(mux.Vars(r)["number"])
	if err != nil {
		return errNoSuch
	}
	v, err := s.view(decisions.RolloutID(mux.Vars(r)["environment"], mux.Vars(r)["flag"], number))
	if err != nil {
		return err
	}
	text, err := s.ticket(r.Context(), v.Rollout)
	if err != nil {
		return err
	}
	return writeMarkdown(w, text)
}

// ticket is that text, as whoever asks may know it.
func (s *server) ticket(ctx context.Context, r decisions.Rollout) (string, error) {
	var f flags.Recorded
	var ready decisions.Readiness
	var scans []flags.RecordedScan
	s.Projection.View(func(uint64) {
		f, _ = s.Flags.Flag(r.Plan.Flag)
		ready, scans = s.readinessFor(ctx, r, f), s.Flags.Scans()
	})
	var found []decisions.Scanned
	for _, scan := range scans {
		used, err := s.used(ctx, scan, f.Key)
		if err != nil {
			return "", err
		}
		found = append(found, scanned(used))
	}
	return r.Ticket(f, ready, found), nil
}

func scanned(u Used) decisions.Scanned {
	out := decisions.Scanned{Repository: u.Repository, Revision: u.Revision, At: u.At}
	for _, p := range u.Places {
		out.Places = append(out.Places, flags.Place{Path: p.Path, Line: p.Line, Alias: p.Alias})
	}
	return out
}

type debtIn struct {
	Weeks int `query:"weeks" minimum:"1" maximum:"260" default:"12" doc:"back from now"`
}

// DebtView is the flag debt over time.
type DebtView struct {
	Weeks []decisions.DebtWeek `json:"weeks" doc:"at the end of each week, oldest first"`
	Debts []decisions.Debt     `json:"debts" doc:"what was past due in that time: what still is first, the oldest first"`
}

type debtOut struct{ Body DebtView }

// flagDebt tells how many flags should have been ended, week by week.
func (s *server) flagDebt(ctx context.Context, in *debtIn) (*debtOut, error) {
	now := s.Now()
	var all []decisions.Debt
	s.Projection.View(func(uint64) {
		for _, d := range s.Rollouts.Debts(now) {
			if sees(ctx, d.Environment, d.Flag) {
				all = append(all, d)
			}
		}
		for _, key := range s.Flags.Keys() {
			f, _ := s.Flags.Flag(key)
			if d, ok := decisions.FlagDebt(f, now); ok && defines(ctx, key) {
				all = append(all, d)
			}
		}
	})
	out, from := &debtOut{}, now.AddDate(0, 0, -7*in.Weeks)
	out.Body.Weeks = decisions.DebtByWeek(all, in.Weeks, now)
	out.Body.Debts = append([]decisions.Debt{}, decisions.ByAge(slices.DeleteFunc(all, func(d decisions.Debt) bool {
		return !d.Until.IsZero() && d.Until.Before(from)
	}))...)
	return out, nil
}
