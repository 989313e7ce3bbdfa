package sdk

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"strconv"
	"time"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/sluice-hq/sluice/flags"
)

// contextOf makes the evaluator's context of OpenFeature's. The evaluator knows
// the values of JSON; others are copied into such, and those that are fine
// already, which is the usual case, are not. The targeting key stays among the
// attributes, too: whoever asks for that name is given the same.
func contextOf(flat openfeature.FlattenedContext, now time.Time) flags.Context {
	key, _ := flat[openfeature.TargetingKey].(string)
	attributes, _ := plainMap(flat)
	return flags.Context{TargetingKey: key, Attributes: attributes, Now: now}
}

// plain returns v as encoding/json would have read it.
func plain(v any) (_ any, changed bool) {
	switch v := v.(type) {
	case nil, bool, string, float64:
		return v, false
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case float32:
		return float64(v), true
	case time.Time:
		return v.Format(time.RFC3339Nano), true
	case map[string]any:
		return plainMap(v)
	case []any:
		return plainList(v)
	}
	return plainOther(v), true
}

func plainMap(m map[string]any) (_ map[string]any, changed bool) {
	for key, v := range m {
		p, other := plain(v)
		if !other {
			continue
		}
		if !changed {
			m, changed = maps.Clone(m), true // the caller's is not ours to change
		}
		m[key] = p
	}
	return m, changed
}

func plainList(list []any) (_ []any, changed bool) {
	for i, v := range list {
		p, other := plain(v)
		if !other {
			continue
		}
		if !changed {
			list, changed = append([]any(nil), list...), true
		}
		list[i] = p
	}
	return list, changed
}

// plainOther is the way of values that are seldom in a context: through JSON,
// as they would go to a server. What has no JSON is absent.
func plainOther(v any) any {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Int8, reflect.Int16, reflect.Int32:
		return float64(r.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return float64(r.Uint())
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var out any
	_ = json.Unmarshal(b, &out) // reads what was just written
	return out
}

// unitID returns the id of a unit of that kind, as flags.Context does.
func unitID(kind, targetingKey string, attributes map[string]any) string {
	if v := attributes[kind]; v != nil {
		id, _ := v.(string)
		return id
	}
	if kind == flags.DefaultUnit {
		return targetingKey
	}
	return ""
}

// text writes a value as attributes of events have it; objects as JSON.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	if b, err := json.Marshal(v); err == nil {
		return string(b)
	}
	return fmt.Sprint(v)
}
