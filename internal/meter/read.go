package meter

import (
	"math"
	"strconv"
)

// Find returns the family of a name, with no samples when nobody measured it.
func Find(families []Family, name string) Family {
	for _, f := range families {
		if f.Name == name {
			return f
		}
	}
	return Family{Name: name}
}

// Sum adds up the samples that have all of the labels, names and values in turn.
func (f Family) Sum(labels ...string) (sum float64) {
	for _, s := range f.Samples {
		if s.Suffix == "" && s.has(labels) {
			sum += s.Value
		}
	}
	return sum
}

// Most returns the largest sample, 0 when there is none.
func (f Family) Most() (most float64) {
	for _, s := range f.Samples {
		most = max(most, s.Value)
	}
	return most
}

func (s Sample) has(labels []string) bool {
	for i := 0; i+1 < len(labels); i += 2 {
		found := false
		for j := 0; j+1 < len(s.Labels); j += 2 {
			found = found || s.Labels[j] == labels[i] && s.Labels[j+1] == labels[i+1]
		}
		if !found {
			return false
		}
	}
	return true
}

// Quantile returns the bound of a histogram that the share q of its values does
// not exceed: the truth lies at most one bucket below. It is infinite when that
// is above every bound; false: the histogram has no values.
func (f Family) Quantile(q float64) (bound float64, ok bool) {
	var total float64
	for _, s := range f.Samples {
		if s.Suffix == "_count" {
			total = s.Value
		}
	}
	if total == 0 {
		return 0, false
	}
	for _, s := range f.Samples {
		if s.Suffix != "_bucket" || s.Value < q*total {
			continue
		}
		for i := 0; i+1 < len(s.Labels); i += 2 {
			if le, err := strconv.ParseFloat(s.Labels[i+1], 64); s.Labels[i] == "le" && err == nil {
				return le, true
			}
		}
	}
	return math.Inf(1), true
}
