public import Foundation

/// A UUID that names one kind of thing, so that a project's id is never passed where an employee's is meant.
///
/// On the wire and in a database it is the lower-case UUID string.
public struct Identifier<Entity>: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    public let rawValue: UUID

    public init(rawValue: UUID) { self.rawValue = rawValue }
    public init() { self.init(rawValue: UUID()) }

    /// nil when `text` is not a UUID.
    public init?(_ text: some StringProtocol) {
        var text = String(text)
        guard let uuid = text.withUTF8(UUIDText.uuid) ?? UUID(uuidString: text) else { return nil }
        self.init(rawValue: uuid)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let id = Self(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "must be a UUID")
        }
        self = id
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    public var description: String {
        String(unsafeUninitializedCapacity: UUIDText.length) { text in
            UUIDText.write(rawValue, to: text)
            return UUIDText.length
        }
    }
}

extension Identifier: DecodingPlaceholder {
    public static var decodingPlaceholder: Self {
        Self(rawValue: UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)))
    }
}

public enum TenantEntity: Sendable {}
public enum UserEntity: Sendable {}
public enum RoleEntity: Sendable {}
public enum DepartmentEntity: Sendable {}
public enum SkillEntity: Sendable {}
public enum EmployeeEntity: Sendable {}
public enum ProjectEntity: Sendable {}
public enum AllocationEntity: Sendable {}
public enum CalendarEntity: Sendable {}
public enum EmploymentEntity: Sendable {}
public enum ContractEntity: Sendable {}
public enum LeaveEntity: Sendable {}
public enum InvitationEntity: Sendable {}
public enum MessageEntity: Sendable {}
public enum ImportEntity: Sendable {}
public enum DatasetEntity: Sendable {}
public enum JobEntity: Sendable {}
public enum ModelEntity: Sendable {}
public enum PredictionEntity: Sendable {}
public enum APIKeyEntity: Sendable {}

public typealias TenantID = Identifier<TenantEntity>
public typealias UserID = Identifier<UserEntity>
public typealias RoleID = Identifier<RoleEntity>
public typealias DepartmentID = Identifier<DepartmentEntity>
public typealias SkillID = Identifier<SkillEntity>
public typealias EmployeeID = Identifier<EmployeeEntity>
public typealias ProjectID = Identifier<ProjectEntity>
public typealias AllocationID = Identifier<AllocationEntity>
public typealias CalendarID = Identifier<CalendarEntity>
public typealias EmploymentID = Identifier<EmploymentEntity>
public typealias ContractID = Identifier<ContractEntity>
public typealias LeaveID = Identifier<LeaveEntity>
public typealias InvitationID = Identifier<InvitationEntity>
public typealias MessageID = Identifier<MessageEntity>
public typealias ImportID = Identifier<ImportEntity>
public typealias DatasetID = Identifier<DatasetEntity>
public typealias JobID = Identifier<JobEntity>
public typealias ModelID = Identifier<ModelEntity>
public typealias PredictionID = Identifier<PredictionEntity>
public typealias APIKeyID = Identifier<APIKeyEntity>
