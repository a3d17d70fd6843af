import Contracts
import Foundation
import HTTPTypes
import ServiceKit

extension ReadinessCheck {
    /// Whether another service can be asked and knows us. The probe asks for a tenant that does not exist: any answer
    /// that is the service's own will do, a refusal included.
    static func upstream(_ client: ServiceClient, probe path: String) -> ReadinessCheck {
        var client = client
        client.deadline = .seconds(2)
        client.retries = 0
        let probing = client
        return ReadinessCheck(name: client.service.rawValue) {
            do {
                _ = try await probing.bytes(path, upTo: 65_536, trace: TraceContext())
                return nil
            } catch let problem as ProblemError {
                return problem.status.code < 500 ? nil : problem.sentence
            } catch {
                return "it cannot be asked"
            }
        }
    }
}

extension TenantID {
    /// The nil UUID (RFC 9562 §5.9), which no tenant has.
    static let nobody = TenantID(rawValue: UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)))
}
