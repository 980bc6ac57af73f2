"""A double of CoinMarketCap's listings: an invented market that moves with the clock."""
