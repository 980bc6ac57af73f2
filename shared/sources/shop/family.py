"""The shop's lists by contract."""

from shared.sources.by_contract import ByContract
from shared.sources.shop.customers import Customers
from shared.sources.shop.order_items import OrderItems
from shared.sources.shop.orders import Orders
from shared.sources.shop.products import Products


class Shop(ByContract):
    """Orders, their lines, products with costs, customers."""

    def __init__(self) -> None:
        super().__init__(
            {
                "ecommerce_orders": Orders(),
                "ecommerce_order_items": OrderItems(),
                "ecommerce_products": Products(),
                "ecommerce_customers": Customers(),
            }
        )
