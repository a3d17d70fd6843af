import Contracts

extension OpenAPIDocument {
    private static func text(_ keywords: [String: JSONValue] = [:]) -> JSONValue {
        .object(["type": .string("string")].merging(keywords) { first, _ in first })
    }

    private static func parameter(_ name: String, _ description: String, _ schema: JSONValue) -> JSONValue {
        .object([
            "name": .string(name), "in": .string("header"), "required": .bool(false),
            "description": .string(description), "schema": schema,
        ])
    }

    private static func header(_ description: String, _ schema: JSONValue) -> JSONValue {
        .object(["description": .string(description), "schema": schema])
    }

    /// What the operations of every service refer to.
    static var sharedComponents: [String: JSONValue] {
        let tags = "One or more entity tags, or `*`."
        return [
            "parameters": .object([
                "RequestID": parameter(
                    "X-Request-ID",
                    "Names the request in answers and logs: up to 128 letters, digits, dots, hyphens and underscores. "
                        + "Any other is replaced.",
                    text()),
                "IdempotencyKey": parameter(
                    "Idempotency-Key",
                    "Sent again with the same request it gives the same answer; with another request it is refused.",
                    text(["pattern": .string("^[!-~]{1,200}$")])),
                "IfMatch": parameter(
                    "If-Match",
                    "The change is made only to a version with this tag, and with `If-None-Match` to none with that; `*` "
                        + "stands for every one. " + tags, text()),
                "IfNoneMatch": parameter(
                    "If-None-Match", "The answer is 304 when the resource still has this tag. " + tags, text()),
                "LastEventID": parameter(
                    "Last-Event-ID", "The stream goes on after this event; begins anew for an unknown one.", text()),
                "InferenceHeaderLength": parameter(
                    "Inference-Header-Content-Length",
                    "Bytes of JSON at the body's beginning; binary tensor data follow it. 0: the body is the one input's data.",
                    .object(["type": .string("integer"), "minimum": .integer(0)])),
                "TenantID": parameter(
                    "X-Tenant-ID", "The tenant, where no subdomain and no credential names it.",
                    text(["format": .string("uuid")])),
            ]),
            "examples": .object(RouteProblems.examples),
            "headers": .object([
                "RequestID": header("The request's id, made when none was sent.", text()),
                "ETag": header("The version of the resource, for If-Match and If-None-Match.", text()),
                "Location": header("Where the new resource is.", text()),
                "RetryAfter": header(
                    "Seconds to wait.", .object(["type": .string("integer"), "minimum": .integer(1)])),
                "RateLimit": header(
                    "What is left of the allowance that is nearest to its end: `\"tenant\";r=99;t=1`, requests and seconds until "
                        + "all of it is there again.", text()),
                "RateLimitPolicy": header("Every allowance that counts the request.", text()),
                "WWWAuthenticate": header("Which credentials are taken.", text()),
                "SetCookie": header(
                    "The refresh token of a browser's session: `HttpOnly`, `SameSite=Strict`, for `/api/v1/auth` only. "
                        + "Empty where the session has ended, absent where no cookie was asked for.", text()),
            ]),
            "securitySchemes": .object([
                "accessToken": .object([
                    "type": .string("http"), "scheme": .string("bearer"), "bearerFormat": .string("JWT"),
                    "description": .string("A user's access token, from logIn or refreshTokens."),
                ]),
                "apiKey": .object([
                    "type": .string("apiKey"), "in": .string("header"), "name": .string("X-API-Key"),
                    "description": .string("A tenant's API key."),
                ]),
                "sessionCookie": .object([
                    "type": .string("apiKey"), "in": .string("cookie"), "name": .string(RouteHeader.sessionCookieName),
                    "description": .string(
                        "A browser's refresh token, from logIn with `session=cookie`, beside an `Origin` header that names "
                            + "the gateway itself."),
                ]),
                "operatorKey": .object([
                    "type": .string("http"), "scheme": .string("bearer"),
                    "description": .string("The platform operator's key."),
                ]),
            ]),
        ]
    }
}
