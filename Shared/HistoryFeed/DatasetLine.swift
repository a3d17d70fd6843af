public import Contracts
public import Forecasting

/// One line of a stored dataset. Names and addresses of people are no part of it.
public enum DatasetLine: WireLine, Equatable {
    case employee(EmployeeFacts)
    case project(ProjectFacts)
    case capacity(CapacityDay)
    case allocation(Forecasting.Allocation)

    private enum Key: String, CodingKey { case employee, project, capacity, allocation }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        switch container.allKeys.first {
        case .employee: self = .employee(try container.decode(EmployeeFacts.self, forKey: .employee))
        case .project: self = .project(try container.decode(ProjectFacts.self, forKey: .project))
        case .capacity: self = .capacity(try container.decode(CapacityDay.self, forKey: .capacity))
        case .allocation:
            self = .allocation(try container.decode(Forecasting.Allocation.self, forKey: .allocation))
        case nil:
            throw DecodingError.dataCorrupted(
                DecodingError.Context(codingPath: decoder.codingPath, debugDescription: "not a line of a dataset"))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .employee(let facts): try container.encode(facts, forKey: .employee)
        case .project(let facts): try container.encode(facts, forKey: .project)
        case .capacity(let day): try container.encode(day, forKey: .capacity)
        case .allocation(let allocation): try container.encode(allocation, forKey: .allocation)
        }
    }
}
