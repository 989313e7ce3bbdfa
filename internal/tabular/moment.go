package tabular

import (
	"math/big"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Moment says where a row's time stands and how it is written.
type Moment struct {
	Column string `json:"column" yaml:"column"`
	// Layout is unix, unixMillis, unixMicros or unixNanos, or how the moment of
	// 2 January 2006, 15:04:05 would be written. Empty: RFC 3339, also with a blank
	// in the place of the T, without a zone, or the date alone.
	Layout string `json:"layout,omitempty" yaml:"layout,omitempty"`
	Zone   string `json:"zone,omitempty" yaml:"zone,omitempty"` // of times that name none: "Europe/Berlin"; empty: UTC

	zone *time.Location // nil before Validate
}

// units are the layouts of times that are numbers, by how many make a second.
var units = map[string]int64{"unix": 1, "unixMillis": 1e3, "unixMicros": 1e6, "unixNanos": 1e9}

// usual are the ways of writing a time that need no layout.
var usual = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999 Z07:00",
	"2006-01-02 15:04:05.999999999 UTC", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04", "2006-01-02",
}

// validate adds what is wrong with m and finds its zone.
func (m *Moment) validate(path string, faults *event.Invalids) {
	if m.Column == "" {
		faults.Add(path+".column", nil, "is missing", "name the column that holds the time")
	}
	if probe := time.Date(1999, 11, 22, 13, 44, 55, 0, time.UTC); m.Layout != "" && units[m.Layout] == 0 {
		read, err := time.Parse(m.Layout, probe.Format(m.Layout))
		if err != nil || strings.Contains(m.Layout, "MST") || // which CET is meant, an abbreviation does not say
			read.Year() != 1999 || read.YearDay() != probe.YearDay() {
			faults.Add(path+".layout", m.Layout, "is not a way of writing a day and time",
				"write unix, unixMillis, unixMicros, unixNanos, or how 2 January 2006, 15:04:05 would be written: 02.01.2006 15:04")
		}
	}
	var err error
	if m.zone, err = time.LoadLocation(m.Zone); err != nil { // "" is UTC
		faults.Add(path+".zone", m.Zone, "is not a time zone", "write one such as Europe/Berlin")
	}
}

// read reads the time of a cell, to the millisecond.
func (m *Moment) read(cell string) (time.Time, *event.Invalid) {
	at, ok := m.parse(cell)
	switch {
	case cell == "":
		return at, &event.Invalid{Path: "column " + m.Column, Why: "is empty", Fix: "every row needs a time"}
	case !ok:
		return at, &event.Invalid{Path: "column " + m.Column, Value: cell, Why: "is not a time", Fix: "say with layout how the file writes times"}
	case at.Year() < 1970 || at.Year() > 9999:
		return at, &event.Invalid{Path: "column " + m.Column, Value: cell, Why: "is a time in the year " + at.Format("2006"), Fix: "look at layout: unix, unixMillis, unixMicros or unixNanos?"}
	}
	return at.UTC().Truncate(time.Millisecond), nil
}

func (m *Moment) parse(cell string) (time.Time, bool) {
	if per := units[m.Layout]; per != 0 {
		return fromNumber(cell, per)
	}
	layouts := usual
	if m.Layout != "" {
		layouts = []string{m.Layout}
	}
	for _, l := range layouts {
		if at, err := time.ParseInLocation(l, cell, m.zone); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// fromNumber reads a number of seconds or parts of them, exactly: a float has
// no room for the nanoseconds of today.
func fromNumber(cell string, per int64) (time.Time, bool) {
	n, ok := new(big.Rat), false
	if len(cell) <= 40 && strings.Trim(cell, "-0123456789.") == "" {
		n, ok = n.SetString(cell)
	}
	if !ok {
		return time.Time{}, false
	}
	n.Mul(n, new(big.Rat).SetFrac64(1e3, per))
	milli := new(big.Int).Div(n.Num(), n.Denom()) // rounds down, as everything that has happened
	if !milli.IsInt64() {
		return time.Time{}, false
	}
	return time.UnixMilli(milli.Int64()), true
}
