package spreadsidecar

// ClientVersion is the release of this package.
const ClientVersion = "0.1.0"
