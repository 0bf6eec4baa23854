# The image of the sidecar. BuildKit builds it: `npm run image`, or `docker build -t spread-sidecar .`
#
# Any image with Node 20.20 or later and npm will do as its base: --build-arg NODE_IMAGE=...
# Pin it by digest where builds must be the same to the byte: NODE_IMAGE=node:24.21.0-bookworm-slim@sha256:...
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

# What is built is JavaScript, the same for every architecture: no emulation is needed to build for another one.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS build
WORKDIR /app
# Packages first: they change less often than sources, and this layer is then taken from the cache.
COPY package.json package-lock.json .npmrc ./
COPY proto/package.json proto/
COPY clients/typescript/package.json clients/typescript/
# A registry of your own, or its certificate: --secret id=npmrc,src=$HOME/.npmrc
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.base.json sbom.cdx.json LICENSE ./
COPY proto proto
COPY bin bin
COPY scripts/build.mjs scripts/build-page.mjs scripts/build-server.mjs scripts/licences.mjs scripts/setup.mjs scripts/prune-image.mjs scripts/
COPY clients/typescript/src clients/typescript/src
COPY clients/typescript/tsconfig.json clients/typescript/
COPY server server
RUN npm run --silent setup \
 && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
 && node scripts/prune-image.mjs /app /out \
 && mkdir -p /sockets/spread-sidecar \
 && chmod 0775 /sockets/spread-sidecar

FROM ${NODE_IMAGE}
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG NODE_IMAGE
LABEL org.opencontainers.image.title="spread-sidecar" \
      org.opencontainers.image.description="A gRPC sidecar for the Spread group communication toolkit" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${NODE_IMAGE}"
COPY --from=build /out/ /
# For Unix sockets. A new volume that is mounted here takes over this owner. Platforms that choose the user, such as OpenShift,
# put it into group 0.
COPY --from=build --chown=65532:0 /sockets/ /run/
# A number: Kubernetes can see that runAsNonRoot holds. Nobody else in the image has it.
USER 65532:65532
WORKDIR /app
ENV NODE_ENV=production
EXPOSE 4813 4814 4803
HEALTHCHECK --interval=10s --timeout=4s --start-period=10s --retries=3 \
  CMD ["/usr/local/bin/spread-sidecar", "healthcheck", "--quiet"]
# No shell between the engine and the sidecar: SIGTERM reaches it.
ENTRYPOINT ["/usr/local/bin/spread-sidecar"]
# Without arguments: everything in one container, for development and tests. Whoever gives a command gets the safe defaults
# of docs/configuration.md instead.
CMD ["serve", "--embedded-daemon", "--embedded-listen", "0.0.0.0:4803", "--embedded-socket", "off", "--grpc-listen", "0.0.0.0:4813", "--insecure", "--admin-listen", "0.0.0.0:4814", "--log-format", "pretty"]
