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

func TestRender_hostileInput(t *testing.T) {
	for name, page := range samples() {
		got := html(t, poisoned(page))
		for _, bad := range []string{`<script>f`, `<img`, `<b data-broke`, `onerror=faults.push("`} {
			if strings.Contains(got, bad) {
				t.Errorf("%s: %q broke out", name, bad)
			}
		}
		if strings.Count(got, "<main") != 1 || !strings.HasSuffix(strings.TrimSpace(got), "</html>") {
			t.Errorf("%s: the page is cut or doubled", name)
		}
	}
}

// TestRender_hostileLink: an address that somebody else wrote cannot be a script.
func TestRender_hostileLink(t *testing.T) {
	p := sampleRollout()
	p.Cleanup.Ticket = "javascript:alert(1)"
	if got := html(t, p); strings.Contains(got, `href="javascript:`) {
		t.Error("a ticket's address is a script")
	}
}
