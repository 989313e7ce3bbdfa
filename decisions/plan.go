package decisions

import "slices"

// Plan is the document of kind Rollout: how one change is released to one
// environment, stage by stage, and what each stage asks before the next. It is
// validated whole before the first exposure and frozen when it starts.
type Plan struct {
	Flag        string       `json:"flag" yaml:"flag"`
	Environment string       `json:"environment" yaml:"environment"`
	Owner       string       `json:"owner" yaml:"owner"` // release owner: a person or team
	Hypothesis  string       `json:"hypothesis,omitempty" yaml:"hypothesis,omitempty"`
	Links       []string     `json:"links,omitempty" yaml:"links,omitempty"`
	Unit        string       `json:"unit" yaml:"unit"`                             // what is hashed and analysed; the flag's
	Eligible    string       `json:"eligible,omitempty" yaml:"eligible,omitempty"` // segment for the whole plan
	Layer       *LayerPlan   `json:"layer,omitempty" yaml:"layer,omitempty"`       // nil: it shares units with every experiment
	Arms        Arms         `json:"arms" yaml:"arms"`
	Metrics     Metrics      `json:"metrics" yaml:"metrics"`
	Health      Health       `json:"health" yaml:"health"`
	Incidents   Incidents    `json:"incidents" yaml:"incidents"`
	Stages      []Stage      `json:"stages" yaml:"stages"`
	Rollback    RollbackPlan `json:"rollback" yaml:"rollback"`
	Cleanup     *CleanupPlan `json:"cleanup,omitempty" yaml:"cleanup,omitempty"`
	FollowUp    Window       `json:"followUp,omitempty" yaml:"followUp,omitempty"` // after it is over: whether the effect held; zero: nobody looks

	Template   string       `json:"template,omitempty" yaml:"template,omitempty"`     // whose stages and gates the plan takes; see Templates
	Origin     string       `json:"origin,omitempty" yaml:"origin,omitempty"`         // filled in: the template that the stages were made of
	Escalation []Escalation `json:"escalation,omitempty" yaml:"escalation,omitempty"` // who is asked after the owner, while nobody answers
}

// LayerPlan asks for a part of a layer of the environment, which the stages that
// compare keep to themselves. Their percentages are of that part.
type LayerPlan struct {
	Name  string  `json:"name" yaml:"name"`
	Share Percent `json:"share" yaml:"share"` // of all units
}

// Arms names the variants that are compared.
type Arms struct {
	Control   string `json:"control,omitempty" yaml:"control,omitempty"`     // of a stage: the plan's when empty
	Treatment string `json:"treatment,omitempty" yaml:"treatment,omitempty"` // likewise
}

// Metrics names the metrics by the role they play; a metric has one role.
type Metrics struct {
	Success     []Success    `json:"success,omitempty" yaml:"success,omitempty"`
	Guardrails  []Guardrail  `json:"guardrails,omitempty" yaml:"guardrails,omitempty"`
	Diagnostics []Diagnostic `json:"diagnostics,omitempty" yaml:"diagnostics,omitempty"` // shown, never decide
	Breakdowns  []string     `json:"breakdowns,omitempty" yaml:"breakdowns,omitempty"`   // attributes that readouts split by; never decide
}

// Success is a metric that the change should improve.
type Success struct {
	Metric         string  `json:"metric" yaml:"metric"`
	MDE            Percent `json:"mde,omitempty" yaml:"mde,omitempty"`                       // smallest relative effect worth finding
	OnLoss         Action  `json:"onLoss,omitempty" yaml:"onLoss,omitempty"`                 // established to be worse; default review
	OnInconclusive Action  `json:"onInconclusive,omitempty" yaml:"onInconclusive,omitempty"` // at the end of the longest window; default review
}

// Guardrail is a metric that the change must not harm.
type Guardrail struct {
	Metric   string   `json:"metric" yaml:"metric"`
	Margin   *Percent `json:"margin,omitempty" yaml:"margin,omitempty"`     // tolerated relative harm against control; 0% when detect alone is given
	Detect   Size     `json:"detect,omitzero" yaml:"detect,omitempty"`      // harm that the stop test is sharpest for; default the margin
	Limit    string   `json:"limit,omitempty" yaml:"limit,omitempty"`       // level of the treated units: "200ms"
	Within   string   `json:"within,omitempty" yaml:"within,omitempty"`     // attribute whose values are tested apart
	OnBreach Action   `json:"onBreach,omitempty" yaml:"onBreach,omitempty"` // default rollback
}

// Diagnostic is a metric that is shown and never decides.
type Diagnostic struct {
	Metric string `json:"metric" yaml:"metric"`
}

// Health is what must hold before any effect is believed.
type Health struct {
	SRM           SRM           `json:"srm" yaml:"srm"`
	Telemetry     Telemetry     `json:"telemetry" yaml:"telemetry"`
	MultiExposure MultiExposure `json:"multiExposure" yaml:"multiExposure"`
}

// SRM watches the sample ratio: whether the arms hold the units they should.
type SRM struct {
	Alpha  float64 `json:"alpha,omitempty" yaml:"alpha,omitempty"` // chance of a false alarm over the whole rollout; default 0.001
	OnFail Action  `json:"onFail,omitempty" yaml:"onFail,omitempty"`
}

// Telemetry says how old the newest facts may be.
type Telemetry struct {
	MaxLag    Window `json:"maxLag,omitempty" yaml:"maxLag,omitempty"` // default 10m
	OnMissing Action `json:"onMissing,omitempty" yaml:"onMissing,omitempty"`
}

// MultiExposure bounds the share of units that saw two arms in one epoch.
type MultiExposure struct {
	Max    Percent `json:"max,omitempty" yaml:"max,omitempty"` // default 1%
	OnFail Action  `json:"onFail,omitempty" yaml:"onFail,omitempty"`
}

// Incidents says what an open incident of each severity asks for.
type Incidents struct {
	Critical Action `json:"critical,omitempty" yaml:"critical,omitempty"`
	Blocking Action `json:"blocking,omitempty" yaml:"blocking,omitempty"`
	Minor    Action `json:"minor,omitempty" yaml:"minor,omitempty"`
}

// RollbackPlan says what going back means.
type RollbackPlan struct {
	To                 string   `json:"to,omitempty" yaml:"to,omitempty"` // safe (default) or previousStage
	Owners             []string `json:"owners,omitempty" yaml:"owners,omitempty"`
	Notify             []string `json:"notify,omitempty" yaml:"notify,omitempty"`
	LockUntilExplained *bool    `json:"lockUntilExplained,omitempty" yaml:"lockUntilExplained,omitempty"` // default true
	Prove              *Proof   `json:"prove,omitempty" yaml:"prove,omitempty"`
}

// Proof bounds what may still be exposed, and until when, after a rollback.
type Proof struct {
	UnsafeExposures Percent `json:"unsafeExposures" yaml:"unsafeExposures"` // share of the flag's exposures; default 0.1%, and 0% where only within is given
	Within          Window  `json:"within,omitempty" yaml:"within"`         // after the flag change; default 5m
}

// CleanupPlan is how the flag ends, fixed before the release begins.
type CleanupPlan struct {
	Due      Window `json:"due,omitempty" yaml:"due"` // after the final decision
	EndState string `json:"endState" yaml:"endState"` // promote, remove, keep, convert
	Ticket   string `json:"ticket,omitempty" yaml:"ticket,omitempty"`
}

// lockUntilExplained tells the default, true, from a written false.
func (r RollbackPlan) lockUntilExplained() bool {
	return r.LockUntilExplained == nil || *r.LockUntilExplained
}

// Measured returns every metric that the plan names, in its order, each once.
func (p Plan) Measured() []string {
	var out []string
	add := func(key string) {
		if !slices.Contains(out, key) {
			out = append(out, key)
		}
	}
	for _, s := range p.Metrics.Success {
		add(s.Metric)
	}
	for _, g := range p.Metrics.Guardrails {
		add(g.Metric)
	}
	for _, d := range p.Metrics.Diagnostics {
		add(d.Metric)
	}
	return out
}

// deciding returns the metrics that can stop or allow something, and so must
// have data.
func (p Plan) deciding() []string {
	shown := map[string]bool{}
	for _, d := range p.Metrics.Diagnostics {
		shown[d.Metric] = true
	}
	return slices.DeleteFunc(p.Measured(), func(key string) bool { return shown[key] })
}
