import CCurl

extension CurlEasy {
    /// Sets everything that a request and the client's configuration determine. Whatever libcurl would take from its
    /// surroundings (proxies, netrc, signals) is switched off.
    func configure(_ request: PreparedRequest, configuration: HTTPClientConfiguration) {
        set(CURLOPT_URL, request.url)
        set(CURLOPT_PATH_AS_IS, 1)
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_PROXY, "")
        set(CURLOPT_NETRC, 0)
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_BUFFERSIZE, 64 * 1024)
        set(CURLOPT_UPLOAD_BUFFERSIZE, 64 * 1024)
        set(CURLOPT_TCP_KEEPALIVE, 1)
        set(CURLOPT_CONNECTTIMEOUT_MS, Int(max(1, configuration.connectTimeout.milliseconds)))
        set(CURLOPT_DNS_CACHE_TIMEOUT, Int(configuration.nameCacheTime.components.seconds))
        set(CURLOPT_MAXAGE_CONN, Int(max(1, configuration.idleConnectionTimeout.components.seconds)))
        allowOnlyHTTP()
        leaveResolverBehind()
        setVersion(isSecure: request.isSecure, version: configuration.protocolVersion)
        if request.isSecure { setTLS(request, configuration) }
        set(CURLOPT_HTTPHEADER, lines: request.headerLines)
        set(
            CURLOPT_RESOLVE,
            lines: configuration.staticHosts.map { "\($0.name):\($0.port):\($0.addresses.joined(separator: ","))" })
        setMethod(request)
    }

    private func setVersion(isSecure: Bool, version: HTTPClientConfiguration.ProtocolVersion) {
        switch version {
        case .http2PriorKnowledge:
            set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE))
            // libcurl 7.88 (Debian 12) fails every further request on such a connection with CURLE_HTTP2.
            set(CURLOPT_FRESH_CONNECT, 1)
            set(CURLOPT_FORBID_REUSE, 1)
        case .automatic where isSecure:
            set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
            // Better a stream on a connection that is just being made than a handshake per request.
            set(CURLOPT_PIPEWAIT, 1)
        case .automatic, .http1Only:
            set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        }
    }

    private func setTLS(_ request: PreparedRequest, _ configuration: HTTPClientConfiguration) {
        set(CURLOPT_SSL_VERIFYPEER, 1)
        set(CURLOPT_SSL_VERIFYHOST, 2)
        set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let file = request.caFile ?? configuration.caFile { set(CURLOPT_CAINFO, file) }
        if let file = configuration.clientCertificateFile { set(CURLOPT_SSLCERT, file) }
        if let file = configuration.clientKeyFile { set(CURLOPT_SSLKEY, file) }
    }

    private func setMethod(_ request: PreparedRequest) {
        let length: Int?
        switch request.body {
        case .none:
            // NOBODY, not CUSTOMREQUEST: otherwise libcurl would wait for the body that a HEAD's answer announces.
            if request.method == "HEAD" { set(CURLOPT_NOBODY, 1) } else { set(CURLOPT_HTTPGET, 1) }
            if request.method != "GET", request.method != "HEAD" { set(CURLOPT_CUSTOMREQUEST, request.method) }
            return
        case .bytes(let bytes): length = bytes.count
        case .stream(let declared, _): length = declared
        }
        set(CURLOPT_UPLOAD, 1)
        set(CURLOPT_INFILESIZE_LARGE, size: length ?? -1)
        set(CURLOPT_CUSTOMREQUEST, request.method)
    }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        return overflow ? .max / 2 : product + attoseconds / 1_000_000_000_000_000
    }
}
