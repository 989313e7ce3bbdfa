package dashboards

import (
	"reflect"
	"strings"
	"testing"
)

// Texts that try to leave their place: markup, an attribute's end, a script's
// end, right-to-left overrides, and sheer length.
const (
	markup = `</title></svg></code><script>faults.push("ran")</script><img src=x onerror=faults.push("ran")>"'><b data-broke>`
	rtl    = "\u202Eevil\u202C שלום"
)

func hostile() string { return markup + rtl + strings.Repeat("W", 10_000) }

// poison replaces every text in a view, at any depth; the sealed words stay.
func poison(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				poison(f, text)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i), text)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			poison(v.Elem(), text)
		}
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			v.SetString(text)
		}
	}
}

// poisoned returns a page in which every text that could come from outside is
// hostile. What is made here alone has types of its own: marks, anchors, paths.
func poisoned(p Page) Page {
	v := deepCopy(reflect.ValueOf(p))
	poison(v, hostile())
	return v.Interface().(Page)
}

// filled is a page whose every nil pointer, empty list and map has something in
// it, and whose every yes-or-no is the same: with the poison after it, no text of
// its view stays as it was, whether or not a sample has it.
func filled(p Page, yes bool) Page {
	v := deepCopy(reflect.ValueOf(p))
	fill(v, yes, 0)
	poison(v, markup+rtl)
	return v.Interface().(Page)
}

// deepest is more than any view is deep.
const deepest = 16

func fill(v reflect.Value, yes bool, depth int) {
	if !v.CanSet() || depth > deepest {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(yes)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), yes, depth+1)
		}
	case reflect.Slice:
		if v.Len() == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		for i := range v.Len() {
			fill(v.Index(i), yes, depth+1)
		}
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		fill(v.Elem(), yes, depth+1)
	}
}

// deepCopy returns a settable copy that shares nothing that poison changes.
func deepCopy(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := out.Field(i); f.CanSet() {
				f.Set(deepCopy(v.Field(i)))
			}
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(deepCopy(v.Index(i)))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(deepCopy(v.Elem()))
		}
	}
	return out
}

// harmless complains about text that broke out of its place.
func harmless(t *testing.T, name, got string) {
	t.Helper()
	for _, bad := range []string{`<script>f`, `<img`, `<b data-broke`, `onerror=faults.push("`} {
		if strings.Contains(got, bad) {
			t.Errorf("%s: %q broke out", name, bad)
		}
	}
	if strings.Count(got, "<main") != 1 || !strings.HasSuffix(strings.TrimSpace(got), "</html>") {
		t.Errorf("%s: the page is cut or doubled", name)
	}
}

func TestRender_hostileInput(t *testing.T) {
	for name, page := range samples() {
		harmless(t, name, html(t, poisoned(page)))
		harmless(t, name+", everything", html(t, filled(page, true)))
		harmless(t, name+", no flag set", html(t, filled(page, false)))
	}
}

// TestPoison_reachesEveryText: a view has no text in a place that the poison does
// not know, such as a map.
func TestPoison_reachesEveryText(t *testing.T) {
	for name, page := range samples() {
		for _, where := range unreached(reflect.ValueOf(filled(page, true)), reflect.TypeOf(page).Name()) {
			t.Errorf("%s: %s cannot be poisoned", name, where)
		}
	}
}

// unreached lists the places of a view that may hold text and that poison leaves
// alone.
func unreached(v reflect.Value, at string) (all []string) {
	switch v.Kind() {
	case reflect.Map, reflect.Interface, reflect.Array, reflect.Func, reflect.Chan:
		return []string{at}
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() && v.String() != markup+rtl {
			return []string{at}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				all = append(all, unreached(v.Field(i), at+"."+f.Name)...)
			}
		}
	case reflect.Slice:
		for i := range min(v.Len(), 1) {
			all = unreached(v.Index(i), at+"[]")
		}
	case reflect.Pointer:
		if !v.IsNil() {
			all = unreached(v.Elem(), at)
		}
	}
	return all
}

// TestRender_hostileLink: an address that somebody else wrote cannot be a script.
func TestRender_hostileLink(t *testing.T) {
	p := sampleRollout()
	p.Cleanup.Ticket = "javascript:alert(1)"
	if got := html(t, p); strings.Contains(got, `href="javascript:`) {
		t.Error("a ticket's address is a script")
	}
}
