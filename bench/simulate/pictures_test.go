package main

import (
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the pictures of the documentation")

const pictureFolder = "../../docs/statistics"

// The pictures of the documentation are those that the program draws.
func TestPictures(t *testing.T) {
	for _, p := range pictures {
		t.Run(p.file, func(t *testing.T) {
			got := p.draw().SVG()
			path := filepath.Join(pictureFolder, p.file)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s is another picture; see it, then run go test ./bench/simulate -run Pictures -update\n%.400s", p.file, diff)
			}
			if err := xml.Unmarshal([]byte(got), new(struct{})); err != nil {
				t.Error(err)
			}
		})
	}
}

// What is outside of the axes is drawn at their edge, a logarithmic axis has
// equal steps for equal factors, and words cannot end the picture.
func TestChart(t *testing.T) {
	c := chart{title: "<1 & 2", x: axis{low: 1, top: 100, log: true}, y: axis{top: 1}}
	if a, b := c.px(10)-c.px(1), c.px(100)-c.px(10); a != b || c.px(1000) != rightEdge || c.py(-1) != bottomEdge {
		t.Errorf("steps %v and %v, %v right, %v down", a, b, c.px(1000), c.py(-1))
	}
	if svg := c.SVG(); !strings.Contains(svg, "&lt;1 &amp; 2") || strings.Contains(svg, "<1") {
		t.Error("the title is not escaped")
	}
}
