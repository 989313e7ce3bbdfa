package flags

import (
	"encoding/json"
	"slices"
)

// kind is what a scalar is.
type kind uint8

const (
	other  kind = iota // null, a list, an object, anything else
	text               //
	number             //
	truth              // a boolean
)

// scalar is a value of a context or condition without an interface around it,
// so that looking at the targeting key costs no allocation.
type scalar struct {
	text   string
	number float64
	kind   kind
	truth  bool
}

// scalarOf reads what encoding/json, a YAML decoder, or a caller in Go puts
// into an interface.
func scalarOf(v any) scalar {
	switch v := v.(type) {
	case string:
		return scalar{kind: text, text: v}
	case bool:
		return scalar{kind: truth, truth: v}
	case float64:
		return scalar{kind: number, number: v}
	case int:
		return scalar{kind: number, number: float64(v)}
	case int64:
		return scalar{kind: number, number: float64(v)}
	case uint64:
		return scalar{kind: number, number: float64(v)}
	case int32:
		return scalar{kind: number, number: float64(v)}
	case float32:
		return scalar{kind: number, number: float64(v)}
	case json.Number:
		f, err := v.Float64()
		if err == nil {
			return scalar{kind: number, number: f}
		}
	}
	return scalar{}
}

// few is the size up to which looking through a list beats a map.
const few = 8

// scalarSet holds the values of an operator that compares for equality.
type scalarSet struct {
	texts   []string            // up to few
	many    map[string]struct{} // all texts, when there are more
	numbers []float64
	truths  []bool
}

func (s *scalarSet) addText(t string, fold bool) {
	t = folded(t, fold)
	s.texts = append(s.texts, t)
	if len(s.texts) <= few {
		return
	}
	if s.many == nil {
		s.many = map[string]struct{}{}
		for _, earlier := range s.texts {
			s.many[earlier] = struct{}{}
		}
	}
	s.many[t] = struct{}{}
}

func (s *scalarSet) has(v scalar, fold bool) bool {
	switch v.kind {
	case text:
		return s.hasText(folded(v.text, fold))
	case number:
		return slices.Contains(s.numbers, v.number)
	case truth:
		return slices.Contains(s.truths, v.truth)
	}
	return false
}

func (s *scalarSet) hasText(t string) bool {
	if s.many != nil {
		_, ok := s.many[t]
		return ok
	}
	return slices.Contains(s.texts, t)
}
