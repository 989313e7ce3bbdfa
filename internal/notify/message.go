package notify

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// message is what one webhook is told of one event. It repeats no data of the
// event beside the words: that can hold ids of units, who did not ask to be
// sent anywhere.
type message struct {
	hook  Hook
	event event.Recorded
	about About
	words Words
	link  string // to the page
}

// mostText bounds the words: receivers of the specification expect less than 20
// KB, and Slack cuts texts at 40,000 characters.
const mostText = 3000

// body returns what is sent.
func (m message) body() ([]byte, error) {
	m.words.Title, m.words.Text = cut(m.words.Title, 300), cut(m.words.Text, mostText)
	var doc any
	switch m.hook.format() {
	case Slack:
		doc = m.slack()
	case Grafana:
		doc = m.annotation()
	case Standard:
		doc = m.standard()
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("encoding the message of event %d: %w", m.event.Seq, err)
	}
	return b, nil
}

// payload has the members that Standard Webhooks recommends.
type payload struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"` // of the event, not of the try
	Data      detail    `json:"data"`
}

type detail struct {
	Webhook     string   `json:"webhook"`
	Event       event.ID `json:"event"`
	Sequence    uint64   `json:"sequence"`
	Subject     string   `json:"subject"`
	Is          []string `json:"is,omitempty"` // what it comes to, beside its type: "decision.rollback"
	Actor       string   `json:"actor"`
	Cause       string   `json:"cause,omitempty"`
	Environment string   `json:"environment,omitempty"`
	Flag        string   `json:"flag,omitempty"`
	Tags        []string `json:"tags,omitempty"`
	Title       string   `json:"title"`
	Text        string   `json:"text,omitempty"`
	Link        string   `json:"link"`
}

func (m message) standard() payload {
	e := m.event
	return payload{Type: e.Type, Timestamp: e.Time, Data: detail{
		Webhook: m.hook.Key, Event: e.ID, Sequence: e.Seq, Subject: e.Subject, Actor: e.Actor, Cause: e.Cause,
		Is:          slices.DeleteFunc(slices.Clone(m.about.Types), func(t string) bool { return t == e.Type }),
		Environment: one(m.about.Environments), Flag: m.about.Flag, Tags: m.about.Tags,
		Title: m.words.Title, Text: m.words.Text, Link: m.link,
	}}
}

func one(list []string) string {
	if len(list) == 1 {
		return list[0]
	}
	return ""
}

// slackText is Slack's simplest message, which most that copy it take too.
type slackText struct {
	Text string `json:"text"`
}

// slack writes the title, the reason below it, and a link. Slack reads three
// characters as more than text (docs.slack.dev, "Formatting message text"): with
// them escaped, no comment can call a channel or hide where a link goes.
func (m message) slack() slackText {
	text := "*" + escaped(strings.ReplaceAll(m.words.Title, "*", "∗")) + "*"
	if m.words.Text != "" {
		text += "\n" + escaped(m.words.Text)
	}
	return slackText{text + "\n" + escaped(m.event.Actor) + " · <" + escaped(m.link) + "|show>"}
}

func escaped(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// annotation is the body of POST /api/annotations (grafana.com, "Annotations
// HTTP API"): without a dashboard, every dashboard can show it by its tags.
type annotation struct {
	Time int64    `json:"time"` // ms
	Tags []string `json:"tags"`
	Text string   `json:"text"` // HTML
}

func (m message) annotation() annotation {
	tags := append([]string{"sluice"}, m.about.Types...)
	for _, e := range m.about.Environments {
		if e != "" {
			tags = append(tags, "environment:"+e)
		}
	}
	if m.about.Flag != "" {
		tags = append(tags, "flag:"+m.about.Flag)
	}
	text := escaped(m.words.Title)
	if m.words.Text != "" {
		text += "<br>" + strings.ReplaceAll(escaped(m.words.Text), "\n", "<br>")
	}
	link := strings.ReplaceAll(escaped(m.link), `"`, "&quot;")
	return annotation{m.event.Time.UnixMilli(), append(tags, m.about.Tags...), text + ` <a href="` + link + `">show</a>`}
}

// cut shortens a text to so many characters.
func cut(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}
