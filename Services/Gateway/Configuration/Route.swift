import Contracts

/// One path of the public API and what the gateway does with it; a line of `gateway.yaml`.
struct Route: Sendable, Equatable {
    /// Who may come here at all.
    enum Scope: String, Sendable, CaseIterable {
        /// Anybody, without a credential.
        case `public`
        /// Anybody with a valid credential, whatever its permissions.
        case signedIn = "signed-in"
        /// A tenant's user or API key with the permission that the method asks for. Never the platform operator, who has
        /// no business with a tenant's rows: tenants' data leave the platform only by the audited platform routes.
        case tenant
        /// The platform operator alone: no permission inside a tenant, `*` included, opens these.
        case platform
    }

    /// Who answers.
    enum Target: Sendable, Equatable {
        /// A controller of the gateway itself.
        case gateway
        case upstream(ServiceName)

        var name: String {
            switch self {
            case .gateway: ServiceName.gateway.rawValue
            case .upstream(let service): service.rawValue
            }
        }
    }

    /// One part of a path template.
    enum Segment: Sendable, Hashable {
        case literal(String)
        /// `{name}`: any one segment.
        case parameter(String)
    }

    /// What a method asks of its caller: an action on a resource, or (not in scope `tenant`) nothing more than the scope.
    struct Requirement: Sendable, Equatable {
        let resource: Resource
        let action: Action
        /// nil: no role grants this.
        let need: PermissionBits.Need?

        init(resource: Resource, action: Action) {
            self.resource = resource
            self.action = action
            need = PermissionBits.Need(action, on: resource)
        }
    }

    /// `/api/v1/employees/{id}`; also the `route` label of metrics.
    let template: String
    let segments: [Segment]
    let target: Target
    let scope: Scope
    /// Allowed methods, and for each the permission it needs.
    let methods: [String: Requirement?]
    /// A public route that is for one tenant, named by the subdomain or `X-Tenant-ID`.
    let needsTenant: Bool
    /// Counts against the address's allowance for guessing credentials.
    let limitsAddress: Bool
    /// Largest request body.
    let bodyLimitBytes: Int
    /// Allowed from the first byte sent to the last received; for a streaming route, the longest silence.
    let timeout: Duration
    /// The answer may go on for as long as something comes: server-sent events, exports.
    let isStreaming: Bool
    /// Its service carries a POST with an `Idempotency-Key` out once however often it comes: it may be sent again.
    var takesIdempotencyKey = false
    /// Counts also against what a tenant may ask of all routes of this class; nil: of none.
    var limitClass: String?

    /// nil when `template` is not one: it must begin with a slash, have no empty segment and name each parameter once.
    static func segments(of template: String) -> [Segment]? {
        guard template.hasPrefix("/"), template.count > 1 else { return nil }
        var names: Set<String> = []
        var segments: [Segment] = []
        for part in template.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            if part.hasPrefix("{"), part.hasSuffix("}"), part.count > 2 {
                let name = String(part.dropFirst().dropLast())
                guard names.insert(name).inserted, name.allSatisfy({ $0.isASCII && $0.isLetter }) else { return nil }
                segments.append(.parameter(name))
            } else {
                guard !part.isEmpty,
                    part.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0)) })
                else { return nil }
                segments.append(.literal(String(part)))
            }
        }
        return segments
    }
}
