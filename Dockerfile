# Sluice for the servers mode: NATS and ClickHouse are elsewhere, so the image
# holds one static binary and no engine.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /sluice ./cmd/sluice \
 && mkdir /empty

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /sluice /sluice
COPY --from=build --chown=65532:65532 /empty /data
VOLUME /data
EXPOSE 8321
ENTRYPOINT ["/sluice"]
CMD ["serve", "--listen", "0.0.0.0:8321"]
