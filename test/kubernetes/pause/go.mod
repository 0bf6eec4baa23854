module spread-sidecar/pause

go 1.24
