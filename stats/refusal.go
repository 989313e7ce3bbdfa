package stats

import "slices"

// Code names a reason why something cannot be computed.
type Code string

// The codes of refusals.
const (
	ZeroVariance Code = "zero_variance" // all values are equal: no noise to measure an effect against
	TooFewUnits  Code = "too_few_units" // fewer units than the method needs
	BadInput     Code = "bad_input"     // numbers that no data can have, or a request that makes no sense
	Unbounded    Code = "unbounded"     // the control mean cannot be told from 0, so a relative change has no bounds
)

// Refusal says why there is no result. It is part of a result, not an error
// that ends the work: data too thin to judge are ordinary at the start.
type Refusal struct {
	Code    Code   `json:"code"`
	Field   string `json:"field,omitempty"` // of the input, in the calculator's names
	Message string `json:"message"`
}

// Error implements error.
func (r *Refusal) Error() string {
	if r.Field == "" {
		return r.Message
	}
	return r.Field + ": " + r.Message
}

func refuse(code Code, field, message string) *Refusal {
	return &Refusal{Code: code, Field: field, Message: message}
}

// Doubt is how much a result is to be trusted. Every result has one.
type Doubt struct {
	Method      string   `json:"method"`                // in words: "one-sided mixture e-process in information time"
	Assumptions []string `json:"assumptions,omitempty"` // what the method takes for granted
	Warnings    []string `json:"warnings,omitempty"`    // what is weak about these data
	Refused     *Refusal `json:"refused,omitempty"`     // why there is no result, nil when there is one
}

func (d *Doubt) warn(text string) {
	if !slices.Contains(d.Warnings, text) {
		d.Warnings = append(d.Warnings, text)
	}
}
