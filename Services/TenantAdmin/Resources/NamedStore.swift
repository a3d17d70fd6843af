import Foundation
import Postgres
import ServiceKit

/// Rows that have a name of their own, which is unique whatever its case, and are listed by it.
protocol NamedStore: ResourceStore where Filter == NameFilter {}

struct NameFilter: RouteQuery {
    let name: String?
    let updatedSince: Date?

    init(_ query: inout QueryParameters) {
        name = query.string("name")
        updatedSince = query.date("updatedSince")
    }
}

extension NamedStore {
    static var alias: String { table }
    static var source: SQL { "\(identifier: table)" }
    static var position: SQL { "name" }

    static func conditions(_ filter: NameFilter) -> [SQL] {
        var conditions: [SQL] = []
        if let name = filter.name { conditions.append("folded_name = folded(\(name))") }
        if let moment = filter.updatedSince { conditions.append("updated_at >= \(moment)") }
        return conditions
    }
}
