package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
)

// look is how often the story asks how the rollout stands.
const look = 300 * time.Millisecond

// watch shows how the rollout goes and returns when it is over.
func (s *story) watch(ctx context.Context) error {
	stage := -1
	for {
		v, err := s.admin.rollout(ctx, demoRollout)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if v.Rollout.Stage != stage {
			stage = v.Rollout.Stage
			s.say("Stage %s: %s", stageName(v.Rollout), why(v))
		}
		s.progress(v)
		if v.Rollout.Status == decisions.Paused {
			return fmt.Errorf("the rollout was paused: %s", why(v))
		}
		if !v.Rollout.Open() && v.Rollout.Status != decisions.Planned {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(look):
		}
	}
}

func stageName(r decisions.Rollout) string {
	if s, ok := r.Now(); ok {
		return s.Name
	}
	return "–"
}

// progress rewrites one line on a terminal; elsewhere it writes one now and
// then.
func (s *story) progress(v server.RolloutView) {
	text := "waiting for the first look"
	if v.Look != nil {
		text = retention(v.Look.Evidence)
	}
	begin, end := "\r\033[K", ""
	if !s.terminal {
		if now().Sub(s.shown) < 3*time.Second {
			return
		}
		begin, end = "", "\n"
	}
	s.shown = now()
	fmt.Fprintf(s.out, "%s%s of %s players · %s · %s%s", begin, thousands(s.sent.Load()), thousands(players), stageName(v.Rollout), text, end)
}

// say writes a line of its own above the progress line.
func (s *story) say(format string, args ...any) {
	begin := ""
	if s.terminal {
		begin = "\r\033[K"
	}
	fmt.Fprintf(s.out, begin+"[%4.1f s] "+format+"\n", append([]any{now().Sub(s.first).Seconds()}, args...)...)
}

// retention is the guardrail in a few words.
func retention(e decisions.Evidence) string {
	m, _ := e.Metric("day_7_retention")
	if m.Judgement == nil || m.Judgement.Refused != nil {
		return "day-7 retention: too few players yet"
	}
	return fmt.Sprintf("day-7 retention %s, always-valid %s, e = %.3g of %.0f",
		percent(m.Judgement.Estimate), span(m.Judgement.Band), math.Exp(m.Judgement.LogBreach), math.Exp(m.Judgement.Threshold))
}

// ending waits until everything is counted, shows the record and says whether
// the story ended as it should.
func (s *story) ending(ctx context.Context) error {
	v, err := s.admin.rollout(ctx, demoRollout)
	if err != nil {
		return err
	}
	facts, evidence, err := s.settle(ctx)
	if err != nil {
		return err
	}
	return errors.Join(s.record(ctx, v.Rollout), s.check(v.Rollout, facts, evidence))
}

// settle waits until every acknowledged event is loaded and in the totals, and
// every player old enough to be counted.
func (s *story) settle(ctx context.Context) (f server.FactsView, e decisions.Evidence, err error) {
	quiet := now().Add(3 * time.Second) // the metrics' windows are 2 s
	for end := now().Add(time.Minute); now().Before(end); {
		if err := s.admin.get(ctx, "/api/v1/facts", &f); err != nil {
			return f, e, err
		}
		if loaded(f) && now().After(quiet) {
			r, err := s.admin.readout(ctx, demoRollout, nil)
			if err != nil || added(f, r.Evidence) {
				return f, r.Evidence, err
			}
		}
		select {
		case <-ctx.Done():
			return f, e, ctx.Err()
		case <-time.After(look):
		}
	}
	return f, e, fmt.Errorf("the facts are not loaded and added up after a minute: %+v", f)
}

func loaded(f server.FactsView) bool {
	for _, shard := range append(f.Shards, f.Control) {
		if shard.Done < shard.Last {
			return false
		}
	}
	return true
}

// added reports whether the evidence is of all that was acknowledged: totals
// come after what is loaded, on a busy machine by seconds.
func added(f server.FactsView, e decisions.Evidence) bool {
	for _, shard := range f.Shards {
		if e.Watermark[shard.Shard].Seq < shard.Last {
			return false
		}
	}
	return true
}

// record prints the decision that ended the rollout, from its record.
func (s *story) record(ctx context.Context, r decisions.Rollout) error {
	d, ok := r.Last()
	if !ok {
		return errors.New("there is no decision")
	}
	var record server.DecisionRecord
	if err := s.admin.get(ctx, "/api/v1/decisions/"+d.ID, &record); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\nDecision %s\n  %s: %s\n", d.ID, d.Verdict.Action, d.Verdict.Text)
	if record.Record == nil {
		return fmt.Errorf("decision %s has no evidence", d.ID)
	}
	e := record.Record.Evidence
	fmt.Fprintf(s.out, "  %s v %s players; %s\n", thousands(e.UnitsOf("", "gate_30")), thousands(e.UnitsOf("", "gate_40")), retention(e))
	if m, _ := e.Metric("day_7_retention"); m.Comparison != nil {
		fmt.Fprintf(s.out, "  retention %.2f %% v %.2f %%; fixed 95 %% interval %s, always-valid %s\n",
			100*m.Comparison.Control.Mean, 100*m.Comparison.Treatment.Mean, span(m.Comparison.Fixed), span(m.Comparison.Band))
	}
	if e.SampleRatio != nil {
		fmt.Fprintf(s.out, "  sample ratio: e = %.3g (alarm at %.0f), chi-square p = %.3g\n",
			math.Exp(e.SampleRatio.LogE), 1/r.Plan.Health.SRM.Alpha, e.SampleRatio.FixedP)
	}
	return s.timing(ctx, r, e)
}

// timing prints how long it took from the first look that found the breach to
// the flag's forced revision, and to the first visitor who got it.
func (s *story) timing(ctx context.Context, r decisions.Rollout, e decisions.Evidence) error {
	var f struct {
		Revision uint64 `json:"revision"`
	}
	if err := s.admin.get(ctx, "/api/v1/flags/"+demoFlag, &f); err != nil {
		return err
	}
	d, _ := r.Last()
	found := e.At
	for i := len(r.Decisions) - 1; i >= 0 && strings.Contains(r.Decisions[i].Verdict.Reason, "day_7_retention breached"); i-- {
		found = r.Decisions[i].At
	}
	fmt.Fprintf(s.out, "  first breach seen %s, confirmed %s, decided at event %d, flag forced at revision %d;\n",
		found.Format("15:04:05.000"), e.At.Format("15:04:05.000"), d.Seq, f.Revision)
	fmt.Fprintf(s.out, "  the first visitor got the safe variant %d ms after the first breach was seen, %d ms after it was confirmed\n",
		s.safeAt.Sub(found).Milliseconds(), s.safeAt.Sub(e.At).Milliseconds())
	fmt.Fprintf(s.out, "  record: %s/decisions/%s\n", s.admin.Server, d.ID)
	return nil
}

// check says whether the story ended as it should: rolled back by day-7
// retention, every player who was sent counted once, nobody later analysed.
func (s *story) check(r decisions.Rollout, f server.FactsView, e decisions.Evidence) error {
	var faults []error
	must := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	d, _ := r.Last()
	counted := e.UnitsOf("", "gate_30") + e.UnitsOf("", "gate_40")
	sent, stored := uint64(s.events.Load()), f.Events-f.Reports
	must(r.Status == decisions.RolledBack && d.Verdict.Action == decisions.Rollback, "the rollout is %s, not rolled back", r.Status)
	must(strings.Contains(d.Verdict.Reason, "day_7_retention"), "it was rolled back by %s, not by day_7_retention", d.Verdict.Reason)
	must(counted == s.sent.Load(), "%d players were sent and %d are counted", s.sent.Load(), counted)
	must(e.Exposures == s.sent.Load() && e.TwoArms == 0, "%d exposures are counted, and %d players in two arms", e.Exposures, e.TwoArms)
	must(stored+f.DeadLetters == sent, "%d events were acknowledged, %d are stored and %d dead", sent, stored, f.DeadLetters)
	must(f.Unaccounted == 0, "%d events are unaccounted for", f.Unaccounted)
	if len(faults) == 0 {
		fmt.Fprintf(s.out, "\n%s events acknowledged = %s stored + %s dead letters; %s players sent = %s counted; %d later visitors, none analysed.\n",
			thousands(int64(sent)), thousands(int64(stored)), thousands(int64(f.DeadLetters)), thousands(s.sent.Load()), thousands(counted), afterwards)
	}
	return errors.Join(faults...)
}
