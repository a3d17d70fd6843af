import CCurl

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

extension HTTPClientError {
    /// The meaning of a failed transfer's result.
    init(_ result: CurlResult, wasSent: Bool) {
        let (code, message) = Self.meaning(of: result, wasSent: wasSent)
        self.init(
            code, message, requestMayHaveBeenProcessed: wasSent,
            detail: "libcurl \(result.code.rawValue): \(result.message)")
    }

    private static func meaning(of result: CurlResult, wasSent: Bool) -> (Code, String) {
        switch result.code {
        case CURLE_COULDNT_RESOLVE_HOST:
            (.couldNotResolve, "The server's name could not be resolved.")
        case CURLE_COULDNT_CONNECT where result.systemError == ECONNREFUSED:
            (.connectionRefused, "The server refused the connection.")
        case CURLE_COULDNT_CONNECT:
            (.unreachable, "The server could not be reached.")
        case CURLE_OPERATION_TIMEDOUT where !wasSent:
            (.connectTimedOut, "The server did not accept the connection in time.")
        case CURLE_OPERATION_TIMEDOUT:
            (.timedOut, "The response was not complete within the time allowed.")
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CRL_BADFILE, CURLE_SSL_INVALIDCERTSTATUS,
            CURLE_SSL_CLIENTCERT, CURLE_USE_SSL_FAILED:
            (.tlsFailed, "No trusted TLS connection to the server could be made.")
        case CURLE_RECV_ERROR where result.message.contains("chunked-encoding"),
            CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING:
            (.badResponse, "The server's answer is not valid HTTP.")
        case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE, CURLE_SEND_FAIL_REWIND,
            CURLE_HTTP2, CURLE_HTTP2_STREAM:
            (.reset, "The server closed the connection before the response was complete.")
        case CURLE_URL_MALFORMAT:
            (.invalidURL, "The URL is not valid.")
        default:
            (.other, "The request failed.")
        }
    }
}
