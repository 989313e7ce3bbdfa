package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// The colours of a picture: what is promised, what is not, and what is true.
const (
	sound = "#0a5fb4"
	loose = "#b3450b"
	plain = "#565f69"
)

// chart is a picture of lines over two axes.
type chart struct {
	title string
	says  string // what is to be seen, for who cannot
	x, y  axis
	lines []line
}

// axis is a range of values and where they are written.
type axis struct {
	label    string
	low, top float64
	log      bool
	ticks    []float64
	tell     func(float64) string
}

// line is points in order, or with Below a region between two lines.
type line struct {
	label  string
	colour string
	dashed bool
	at     []point
	below  []point // the other edge of a region; nil for a line
}

type point struct{ x, y float64 }

// The picture and the frame of its axes, in pixels.
const (
	width, height                            = 720, 400
	leftEdge, rightEdge, topEdge, bottomEdge = 64, 700, 56, 340
)

// part returns how far along the axis a value is, from 0 to 1.
func (a axis) part(v float64) float64 {
	low, top := a.low, a.top
	if a.log {
		v, low, top = math.Log(v), math.Log(low), math.Log(top)
	}
	return min(max((v-low)/(top-low), 0), 1)
}

func (c chart) px(v float64) float64 { return leftEdge + (rightEdge-leftEdge)*c.x.part(v) }
func (c chart) py(v float64) float64 { return bottomEdge - (bottomEdge-topEdge)*c.y.part(v) }

// SVG returns the picture. Coordinates are tenths of a pixel, so that the last
// bits of a float do not change it.
func (c chart) SVG() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" font-family="system-ui, sans-serif" font-size="13" fill="#1b2026">`+"\n", width, height)
	fmt.Fprintf(&b, "<title>%s</title>\n<desc>%s</desc>\n", html.EscapeString(c.title), html.EscapeString(c.says))
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	fmt.Fprintf(&b, `<text x="%d" y="22" font-size="16" font-weight="600">%s</text>`+"\n", leftEdge, html.EscapeString(c.title))
	c.axes(&b)
	for _, l := range c.lines {
		c.draw(&b, l)
	}
	c.legend(&b)
	b.WriteString("</svg>\n")
	return b.String()
}

func (c chart) axes(b *strings.Builder) {
	for _, v := range c.y.ticks {
		fmt.Fprintf(b, `<path d="M%d %.1fH%d" stroke="#dcdfe2"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			leftEdge, c.py(v), rightEdge, leftEdge-8, c.py(v)+4, html.EscapeString(c.y.tell(v)))
	}
	for _, v := range c.x.ticks {
		fmt.Fprintf(b, `<path d="M%.1f %dv5" stroke="%s"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n",
			c.px(v), bottomEdge, plain, c.px(v), bottomEdge+20, html.EscapeString(c.x.tell(v)))
	}
	fmt.Fprintf(b, `<path d="M%d %dH%d" stroke="%s"/>`+"\n", leftEdge, bottomEdge, rightEdge, plain)
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end" fill="%s">%s</text>`+"\n", rightEdge, bottomEdge+42, plain, html.EscapeString(c.x.label))
	fmt.Fprintf(b, `<text x="%d" y="%d" fill="%s">%s</text>`+"\n", leftEdge, bottomEdge+42, plain, html.EscapeString("up: "+c.y.label))
}

func (c chart) draw(b *strings.Builder, l line) {
	if l.below != nil {
		fmt.Fprintf(b, `<path d="M%sL%sZ" fill="%s" fill-opacity="0.16" stroke="%s" stroke-opacity="0.5"/>`+"\n", c.path(l.at), c.path(l.below), l.colour, l.colour)
		return
	}
	dash := ""
	if l.dashed {
		dash = ` stroke-dasharray="5 4"`
	}
	fmt.Fprintf(b, `<path d="M%s" fill="none" stroke="%s" stroke-width="2" stroke-linejoin="round"%s/>`+"\n", c.path(l.at), l.colour, dash)
}

func (c chart) path(points []point) string {
	var at []string
	for _, p := range points {
		at = append(at, fmt.Sprintf("%.1f %.1f", c.px(p.x), c.py(p.y)))
	}
	return strings.Join(at, "L")
}

// legend names the lines side by side, above them.
func (c chart) legend(b *strings.Builder) {
	x := float64(leftEdge)
	for _, l := range c.lines {
		if l.label == "" {
			continue
		}
		fmt.Fprintf(b, `<rect x="%.1f" y="36" width="14" height="6" fill="%s"/><text x="%.1f" y="43" fill="%s">%s</text>`+"\n",
			x, l.colour, x+20, l.colour, html.EscapeString(l.label))
		x += 40 + 6.8*float64(len([]rune(l.label)))
	}
}

// backwards returns the points from the last to the first.
func backwards(points []point) []point {
	out := make([]point, len(points))
	for i, p := range points {
		out[len(points)-1-i] = p
	}
	return out
}
