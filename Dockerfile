# The program with everything it needs, for any role: docker build -t cluster .
# Two stages on Debian bookworm, whose libtorch and OpenBLAS it is built and runs with: the same bits as on such a machine.
FROM debian:bookworm-slim AS build
ARG DEBIAN_FRONTEND=noninteractive
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates curl cmake g++ make libtorch-dev libopenblas0-openmp libjpeg62-turbo-dev libpng-dev libicu72 \
 && rm -rf /var/lib/apt/lists/*
# The .NET SDK by its own installer: bookworm has no package of it.
ARG DOTNET_CHANNEL=10.0
ENV DOTNET_ROOT=/usr/share/dotnet DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
RUN curl -fsSL https://dot.net/v1/dotnet-install.sh -o /tmp/dotnet-install.sh \
 && bash /tmp/dotnet-install.sh --channel "$DOTNET_CHANNEL" --install-dir "$DOTNET_ROOT" \
 && ln -s "$DOTNET_ROOT/dotnet" /usr/local/bin/dotnet
WORKDIR /src
COPY . .
# What ./cluster does at its first call, into artifacts/run.
RUN ./cluster version

FROM debian:bookworm-slim
ARG DEBIAN_FRONTEND=noninteractive
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libtorch1.13 libopenblas0-openmp libjpeg62-turbo libpng16-16 libgomp1 \
 && rm -rf /var/lib/apt/lists/* \
 && blas=$(echo /usr/lib/*/openblas-openmp) \
 && update-alternatives --set "libblas.so.3-$(basename "$(dirname "$blas")")" "$blas/libblas.so.3"
COPY --from=build /usr/share/dotnet/host /usr/share/dotnet/host
COPY --from=build /usr/share/dotnet/shared /usr/share/dotnet/shared
COPY --from=build /src/artifacts/run /opt/cluster
COPY --from=build /src/LICENSE /src/THIRD-PARTY-NOTICES.md /opt/cluster/
RUN groupadd --gid 10001 cluster \
 && useradd --uid 10001 --gid cluster --home-dir /runs --shell /usr/sbin/nologin cluster \
 && install -d -o cluster -g cluster /runs /data \
 && ln -s /opt/cluster/cluster /usr/local/bin/cluster
# No file of the image is written to; the runtime's own pipes in /tmp are not needed.
ENV DOTNET_ROOT=/usr/share/dotnet DOTNET_EnableDiagnostics=0 XDG_CACHE_HOME=/tmp/cache
USER 10001:10001
WORKDIR /runs
VOLUME ["/runs"]
# 7000: coordinator; 7001: ps; 7100: gossip; 9464: metrics, health and the page.
EXPOSE 7000 7001 7100 9464
STOPSIGNAL SIGTERM
ENTRYPOINT ["cluster"]
CMD ["help"]
