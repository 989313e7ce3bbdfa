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

func TestOrigin(t *testing.T) {
	const loose, packed = "4f2c1e90d3a7b8c6e5f4a3b2c1d0e9f8a7b6c5d4", "00112233445566778899aabbccddeeff00112233"
	clone := func(address, head string) map[string]string {
		return map[string]string{
			".git/config":          "[core]\n\tbare = false\n[remote \"fork\"]\n\turl = https://git.example/fork.git\n[remote \"origin\"]\n\tfetch = x\n\turl = " + address + "\n",
			".git/HEAD":            head + "\n",
			".git/refs/heads/main": loose + "\n",
			".git/packed-refs":     "# pack-refs with: peeled\n" + packed + " refs/heads/old\n",
		}
	}
	const main = "ref: refs/heads/main"
	for name, c := range map[string]struct {
		files                      map[string]string
		repository, revision, want string
	}{
		"https":       {clone("https://x:secret@github.com:443/acme/shop.git", main), "github.com/acme/shop", loose, ""},
		"ssh":         {clone("git@github.com:acme/shop.git", main), "github.com/acme/shop", loose, ""},
		"ssh address": {clone("ssh://git@git.example:2222/shop", main), "git.example/shop", loose, ""},
		"path":        {clone("/srv/git/shop.git", main), "srv/git/shop", loose, ""},
		"packed":      {clone("https://github.com/acme/shop", "ref: refs/heads/old"), "github.com/acme/shop", packed, ""},
		"detached":    {clone("https://github.com/acme/shop", packed), "github.com/acme/shop", packed, ""},
		"no commit":   {clone("https://github.com/acme/shop", "ref: refs/heads/new"), "github.com/acme/shop", "", "the clone has no commit of refs/heads/new"},
		"no clone":    {map[string]string{"a.go": ""}, "", "", "looking for a clone: open .git/config: file does not exist"},
		"no HEAD":     {map[string]string{".git/config": "[remote \"origin\"]\nurl = https://a.example/b"}, "a.example/b", "", "looking for the commit: open .git/HEAD: file does not exist"},
		"no origin":   {map[string]string{".git/config": "[core]\n"}, "", "", "the clone has no remote of the name origin"},
		"no address":  {clone("https://[half", main), "", "", "the clone has no remote of the name origin"},
	} {
		t.Run(name, func(t *testing.T) {
			repository, revision, err := refs.Origin(tree(c.files))
			told := ""
			if err != nil {
				told = err.Error()
			}
			if repository != c.repository || revision != c.revision || told != c.want {
				t.Errorf("got %q, %q, %q", repository, revision, told)
			}
		})
	}
}
