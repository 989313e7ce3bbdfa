package calculator

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/sluice-hq/sluice/stats"
)

// TestRandomQuestions asks questions at random, many of which have an answer:
// no panic, nothing that is no number, p-values from 0 to 1, intervals that hold
// their estimate. SLUICE_QUESTIONS says how many (make fuzz-stats: ten million),
// SLUICE_SEED which.
func TestRandomQuestions(t *testing.T) {
	questions, seed := setting(t, "SLUICE_QUESTIONS", 10_000), uint64(setting(t, "SLUICE_SEED", 1))
	for i, command := range Commands() {
		n := questions / 5
		if command == "power" || command == "boundary" {
			n = min(questions/200, 10_000)
		}
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			g := asker{rand.New(rand.NewPCG(seed, uint64(i)))}
			answered := 0
			for range n {
				in := g.question(command)
				answered += checked(t, command, in)
				if t.Failed() {
					return
				}
			}
			t.Logf("seed %d: %d questions, %d answers", seed, n, answered)
			if answered < n/5 {
				t.Errorf("only %d of %d questions have an answer", answered, n)
			}
		})
	}
}

func setting(t *testing.T, name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s=%q is no number", name, text)
	}
	return n
}

// said is what is checked of any answer.
type said struct {
	Estimate    *float64     `json:"estimate"`
	Low         *float64     `json:"ci_low"`
	High        *float64     `json:"ci_high"`
	Expected    *float64     `json:"expected"`
	P           *float64     `json:"p_value"`
	SE          *float64     `json:"se"`
	ChanceToWin *float64     `json:"chance_to_win"`
	Adjusted    []float64    `json:"p_adjusted"`
	CI          [][2]float64 `json:"ci"`
	Power       *float64     `json:"power"`
	N           []float64    `json:"n"`
	Z           []float64    `json:"z"`
	Spent       []float64    `json:"spent"`
	Warnings    []string     `json:"warnings"`
}

// checked returns 1 for a question that has an answer.
func checked(t *testing.T, command, in string) int {
	out, err := Answer(command, []byte(in))
	var refusal *stats.Refusal
	switch {
	case errors.As(err, &refusal) && refusal.Code != "" && refusal.Message != "":
		return 0
	case err != nil:
		t.Errorf("%s %s: %v", command, in, err)
		return 0
	}
	var a said
	if err := json.Unmarshal(out, &a); err != nil {
		t.Errorf("%s %s: %s: %v", command, in, out, err)
	}
	if fault := a.fault(); fault != "" {
		t.Errorf("%s %s: %s: %s", command, in, fault, out)
	}
	return 1
}

// fault says what no answer may say.
func (a said) fault() string {
	center := a.Estimate
	if a.Expected != nil {
		center = a.Expected
	}
	shares := append([]float64{}, a.Adjusted...)
	for _, p := range []*float64{a.P, a.ChanceToWin, a.Power} {
		if p != nil {
			shares = append(shares, *p)
		}
	}
	for _, c := range a.CI {
		shares = append(shares, c[0], c[1], c[1]-c[0])
	}
	for _, p := range shares {
		if !(p >= 0 && p <= 1) {
			return fmt.Sprint(p, " is no share")
		}
	}
	switch {
	case center != nil && a.Low != nil && *a.Low > *center+slack(*center), center != nil && a.High != nil && *a.High < *center-slack(*center):
		return "the interval does not hold its estimate"
	case a.Low != nil && a.High != nil && *a.Low > *a.High:
		return "the interval ends before it begins"
	case a.SE != nil && *a.SE < 0:
		return "an error below 0"
	}
	for i, s := range a.Spent {
		if i > 0 && s < a.Spent[i-1]-1e-12 || s > 1 || math.Abs(a.Z[i]) > 40 {
			return "bounds that spend what they have not"
		}
	}
	return ""
}

func slack(x float64) float64 { return 1e-9*math.Abs(x) + 1e-300 }
