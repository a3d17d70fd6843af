public import Foundation

/// Something that a node of a service needs, and whether it is well.
public struct DependencyHealth: Codable, Sendable, Equatable {
    public let name: String
    /// Whether it is, or the node answers without it for now.
    public let isReady: Bool
    /// What is wrong with it, free of secrets; nil when it is well.
    public let reason: String?

    /// - Parameter isRequired: whether the node cannot answer without it.
    public init(name: String, reason: String?, isRequired: Bool = true) {
        self.name = name
        isReady = reason == nil || !isRequired
        self.reason = reason
    }
}

/// The state of a node's change feed from a service.
public struct FeedHealth: Codable, Sendable, Equatable {
    /// Whose changes they are.
    public let name: String
    /// Whether the node's cached answers are valid. Otherwise the node queries the service directly, which is slower and never wrong.
    public let isHeard: Bool
    /// Since the newest question whose answer was whole was put; nil before the first.
    public let heardSecondsAgo: Double?

    public init(name: String, isHeard: Bool, heardSecondsAgo: Double?) {
        self.name = name
        self.isHeard = isHeard
        self.heardSecondsAgo = heardSecondsAgo
    }
}

/// Work of a service that is not done yet; every node of the service tells the same.
public struct Backlog: Codable, Sendable, Equatable {
    public let name: String
    /// nil when it cannot be counted at the moment.
    public let count: Int?
    /// Of how many; nil where the count is no share of anything.
    public let total: Int?
    /// How long the oldest has waited; nil when nothing waits, or that is not known.
    public let oldestSeconds: Double?

    public init(name: String, count: Int?, total: Int? = nil, oldestSeconds: Double? = nil) {
        self.name = name
        self.count = count
        self.total = total
        self.oldestSeconds = oldestSeconds
    }
}

/// `GET /internal/v1/health`: what a node says of itself.
public struct NodeHealth: Codable, Sendable, Equatable {
    public let startedAt: Date
    /// When the file of the running program was written: nodes of one service that differ here run different builds. nil where
    /// that cannot be found out.
    public let programWrittenAt: Date?
    /// Whether the node can answer: what `/readyz` of the operations port answers.
    public let isReady: Bool
    public let dependencies: [DependencyHealth]
    public let feeds: [FeedHealth]
    public let backlogs: [Backlog]

    public init(
        startedAt: Date, programWrittenAt: Date?, dependencies: [DependencyHealth], feeds: [FeedHealth],
        backlogs: [Backlog]
    ) {
        self.startedAt = startedAt
        self.programWrittenAt = programWrittenAt
        isReady = dependencies.allSatisfy(\.isReady)
        self.dependencies = dependencies
        self.feeds = feeds
        self.backlogs = backlogs
    }
}

/// Whether the gateway sends requests to a node.
public enum NodeCircuit: String, Codable, Sendable, CaseIterable {
    /// It does.
    case closed
    /// It does not: the node has failed too often in a row.
    case open
    /// One request tries whether the node is back.
    case halfOpen = "half_open"
}

/// A node of a service, as the gateway's node that was asked sees it and as it sees itself.
public struct ServiceNode: Codable, Sendable, Equatable {
    /// Where the gateway reaches it; nil for the gateway's node that was asked.
    public let address: String?
    public let circuit: NodeCircuit
    /// It has said that it is going down and gets nothing new.
    public let isDraining: Bool
    /// Of this gateway node's requests.
    public let requestsUnderWay: Int
    /// Checks in a row that it has not answered.
    public let failedChecks: Int
    /// nil when it does not say.
    public let health: NodeHealth?
    /// Why it does not; nil when it does.
    public let reason: String?

    public init(
        address: String?, circuit: NodeCircuit = .closed, isDraining: Bool = false, requestsUnderWay: Int = 0,
        failedChecks: Int = 0, health: NodeHealth?, reason: String? = nil
    ) {
        self.address = address
        self.circuit = circuit
        self.isDraining = isDraining
        self.requestsUnderWay = requestsUnderWay
        self.failedChecks = failedChecks
        self.health = health
        self.reason = reason
    }
}

/// One service in the answer to `GET /health`.
public struct ServiceHealth: Codable, Sendable, Equatable {
    public let service: ServiceName
    /// Of the gateway the one that was asked; of the others all that it knows.
    public let nodes: [ServiceNode]

    public init(service: ServiceName, nodes: [ServiceNode]) {
        self.service = service
        self.nodes = nodes
    }
}

/// One kind of messages in the answer to `GET /messages`: those that have not been delivered and are still of use.
public struct WaitingMessages: Codable, Sendable, Equatable {
    public let kind: MessageKind
    public let waiting: Int
    /// Those of them that may be claimed now. The others have been claimed, rest after a failure, or are of a tenant that is
    /// suspended.
    public let due: Int
    /// When the oldest was made; nil when none waits.
    public let oldestAt: Date?
    /// How often the one that was tried most has been tried.
    public let mostAttempts: Int

    public init(kind: MessageKind, waiting: Int, due: Int, oldestAt: Date?, mostAttempts: Int) {
        self.kind = kind
        self.waiting = waiting
        self.due = due
        self.oldestAt = oldestAt
        self.mostAttempts = mostAttempts
    }
}
