package refs_test

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/internal/refs"
)

func tree(files map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

var keys = []string{"checkout.express-pay", "search.rank", "unused"}

func TestScanFindsKeysAndConstants(t *testing.T) {
	got, err := refs.Scan(tree(map[string]string{
		".gitignore":            "*.gen.go\n/build/\n!keep.gen.go\n",
		"a.go":                  "package a\n\nconst ExpressPay = \"checkout.express-pay\"\n",
		"b.go":                  "if on(ExpressPay) && on('search.rank') {\n\treturn `search.rank`, \"search.rank\"\n}\n// search.rank without quotes, MyExpressPay\n",
		"x.gen.go":              `"search.rank"`,
		"keep.gen.go":           `"search.rank"`,
		"build/c.go":            `"search.rank"`,
		"web/.gitignore":        "node_modules\n",
		"web/flags.ts":          "export const FLAGS = {\n  EXPRESS_PAY: 'checkout.express-pay',\n}\nuse(FLAGS.EXPRESS_PAY)\n",
		"web/node_modules/d.js": `"search.rank"`,
		"node_modules/e.js":     `"search.rank"`, // only web/ ignores them
		".git/f.go":             `"search.rank"`,
		"doc.md":                `"search.rank"`,
		"bin.go":                "\x00\"search.rank\"",
		"legacy.py":             "enabled = wrapper(user)\n",
	}), refs.Config{Keys: keys, Aliases: map[string][]string{"search.rank": {"wrapper"}}})
	if err != nil {
		t.Fatal(err)
	}
	want := refs.Found{Files: 6, Passed: 4, References: []refs.Reference{
		{Flag: "checkout.express-pay", Path: "a.go", Line: 3},
		{Flag: "checkout.express-pay", Path: "b.go", Line: 1, Alias: "ExpressPay"},
		{Flag: "checkout.express-pay", Path: "web/flags.ts", Line: 2},
		{Flag: "checkout.express-pay", Path: "web/flags.ts", Line: 4, Alias: "EXPRESS_PAY"},
		{Flag: "search.rank", Path: "b.go", Line: 1},
		{Flag: "search.rank", Path: "b.go", Line: 2},
		{Flag: "search.rank", Path: "keep.gen.go", Line: 1},
		{Flag: "search.rank", Path: "legacy.py", Line: 1, Alias: "wrapper"},
		{Flag: "search.rank", Path: "node_modules/e.js", Line: 1},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
