/// How the gateway's nodes share allowances, as plain values.
///
/// Without further word each of N nodes uses an N-th. Where a node is asked for more, all nodes go over to shares by demand: each
/// states its demand and takes what is wanted, as far as the others' shares leave it. So the shares of all nodes are never more than the
/// whole, apart from the moments in which a node comes or goes.
enum LimitShares {
    /// What a node says of one holder.
    struct Row: Sendable, Equatable {
        /// Requests, those refused among them, for each that the whole allowance lets pass.
        var demand: Double
        /// Of the allowance, in 0…1.
        var share: Double
        /// How full the node's bucket is, in 0…1.
        var fill: Double
        /// Whether this node wants shares by demand.
        var isWanted: Bool
    }

    typealias Rows = [LimitHolder: Row]

    /// What of the whole nodes without demand keep between them, so that a first request finds something.
    static let reserve = 0.05

    /// One node's new rows.
    ///
    /// - Parameters:
    ///   - mine: what this node is asked for, and the shares it uses now.
    ///   - others: what the other nodes have said last.
    static func settled(_ mine: Rows, beside others: [Rows]) -> Rows {
        var settled: Rows = [:]
        let wanted = ([mine] + others).flatMap { rows in rows.filter(\.value.isWanted).keys }
        for holder in Set(wanted) {
            let own = mine[holder] ?? Row(demand: 0, share: 0, fill: 1, isWanted: false)
            let rows = others.map { $0[holder] }
            settled[holder] = row(own, beside: rows)
        }
        return settled
    }

    /// - Parameter others: nil for a node that uses its N-th.
    private static func row(_ own: Row, beside others: [Row?]) -> Row {
        let nodes = Double(others.count + 1)
        let total = others.reduce(own.demand) { $0 + ($1?.demand ?? 0) }
        let scale = (1 - reserve) / max(1, total)
        // What is not asked for is everybody's.
        let wish = own.demand * scale + (1 - total * scale) / nodes
        let left = 1 - others.reduce(0) { $0 + ($1?.share ?? 1 / nodes) }
        var row = own
        row.share = max(reserve / nodes / 2, min(wish, left))
        return row
    }

    /// The tokens that come with a larger share, as a part of the burst: what the others have given away was no fuller than this.
    static func gained(_ share: Double, over before: Double, beside others: [Row?]) -> Double {
        max(0, share - before) * (others.map { $0?.fill ?? 1 }.min() ?? 0)
    }
}

/// `[demand, share, fill, wanted]`: a node may have thousands.
extension LimitShares.Row: Codable {
    init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        demand = try list.decode(Double.self)
        share = try list.decode(Double.self)
        fill = try list.decode(Double.self)
        isWanted = try list.decode(Bool.self)
    }

    func encode(to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        for number in [demand, share, fill] { try list.encode((number * 1e6).rounded() / 1e6) }
        try list.encode(isWanted)
    }
}
