package dashboards

// Banner is the one message on a rollout page that must not be missed.
type Banner struct {
	Kind  BannerKind
	Doubt string // a headline that says less than the kind's; empty: the kind's
	Text  string // what is wrong and what to do
}

// Title returns the headline.
func (b Banner) Title() string {
	if b.Doubt != "" {
		return b.Doubt
	}
	return b.Kind.Title()
}

// BannerKind is what a banner is about. The order is the order of the checks
// that others rest on: a breach cannot be believed while telemetry is missing.
type BannerKind int

// The kinds, the one that is shown before all others first.
const (
	TelemetryMissing BannerKind = iota + 1
	RatioMismatch
	GuardrailBreached
	UnitsMissing
)

// Title returns the headline of a banner of this kind.
func (k BannerKind) Title() string {
	switch k {
	case TelemetryMissing:
		return "Telemetry is missing"
	case RatioMismatch:
		return "The split is not as planned"
	case GuardrailBreached:
		return "A guardrail is breached"
	case UnitsMissing:
		return "Not enough units yet"
	}
	return ""
}

// Loud reports whether the banner calls for a person. Waiting for units is
// how every rollout begins, so it is said quietly.
func (k BannerKind) Loud() bool { return k != UnitsMissing }

// Mark returns the sign of the banner.
func (k BannerKind) Mark() Mark {
	if k.Loud() {
		return Failed
	}
	return Waiting
}

// Loudest returns the banner that is shown, nil when there is none.
func Loudest(all []Banner) *Banner {
	var top *Banner
	for i := range all {
		if top == nil || all[i].Kind < top.Kind {
			top = &all[i]
		}
	}
	return top
}
