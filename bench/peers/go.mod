module github.com/sluice-hq/sluice/bench/peers

go 1.26.0

require (
	github.com/diegoholiveira/jsonlogic/v3 v3.9.1
	github.com/sluice-hq/sluice v0.0.0
	github.com/twmb/murmur3 v1.2.2
	golang.org/x/mod v0.42.0
)

require github.com/google/uuid v1.6.0 // indirect

replace github.com/sluice-hq/sluice => ../..
