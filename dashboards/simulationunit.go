package dashboards

import (
	"net/url"

	"github.com/sluice-hq/sluice/flags"
)

// UnitLook is what one unit gets of a flag, and why.
type UnitLook struct {
	ID      string
	Flag    string
	Variant string
	Looks   []Look
	Buckets []Hashed
	More    string // address of the page that explains with attributes
}

// Look is one thing that evaluation looked at.
type Look struct {
	Name    string
	Why     string
	Decided bool
}

// Hashed is one bucket with the text that was hashed.
type Hashed struct {
	Of, Text string
	Bucket   int
	Share    float64 // the bucket as a part of everybody
	Below    float64
	Variant  string
}

func newUnitLook(f Frame, flag, unit string, x flags.Explanation) *UnitLook {
	u := &UnitLook{ID: unit, Flag: flag, Variant: x.Result.Variant,
		More: flagLink(flag) + "?" + url.Values{"tab": {"explain"}, "environment": {f.Environment}, "unit": {unit}}.Encode()}
	for _, l := range x.Looks {
		name := string(l.Step)
		if l.Name != "" {
			name += " " + l.Name
		}
		u.Looks = append(u.Looks, Look{Name: name, Why: sentence(l.Why), Decided: l.Decided})
	}
	for _, b := range x.Buckets {
		u.Buckets = append(u.Buckets, Hashed{Of: b.Of, Text: b.Text, Bucket: b.Bucket, Share: float64(b.Bucket) / flags.Whole, Below: float64(b.Below) / flags.Whole, Variant: b.Variant})
	}
	return u
}
