// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title Sells what venues reward a vault with, for the vault's asset, to whoever pays first
/// @notice Amounts of a reward token are in its own unit, prices and payments in the asset's, shares in WAD.
interface IRewardAuction {
    /// @notice How a token is sold. Set by the vault's owner.
    /// @param feed Chainlink's price of the token, in the currency of the asset's feed.
    /// @param heartbeat Seconds after which an answer of it is stale.
    /// @param premium WAD share of the oracle's price that a lot begins at: from 1 to 2.
    /// @param floor WAD share of it that a lot ends at, and is never sold under: from 0.8 to 1.
    /// @param duration Seconds from one to the other, and again as many during which the floor is open: an hour to a week.
    /// @param minimumLot Assets, by the oracle, that a lot must be worth to begin.
    struct Terms {
        address feed;
        uint32 heartbeat;
        uint64 premium;
        uint64 floor;
        uint32 duration;
        uint128 minimumLot;
    }

    /// @notice A token that is for sale from the beginning.
    struct Offer {
        address token;
        Terms terms;
    }

    /// @notice What is being sold of a token.
    /// @param left How much is not sold yet. What came after the lot began waits for the next.
    /// @param startedAt Timestamp at which the price began to fall.
    struct Lot {
        uint128 left;
        uint64 startedAt;
    }

    /// @notice Only the vault's owner may do this.
    error NotOwner(address caller);
    /// @notice Only the vault's guardian or its owner may do this.
    error NotGuardianOrOwner(address caller);
    /// @notice The vault counts in another asset than this auction sells for.
    error AssetNotVaults(address asset, address vaultsAsset);
    /// @notice The asset, the vault's shares, or what an adapter's position is made of.
    error NotForSale(address token);
    /// @notice A term is out of its bounds.
    error OutOfRange(bytes32 field, uint256 given, uint256 least, uint256 most);
    /// @notice The token, the asset or a feed has more decimals than the arithmetic bears.
    error UnsupportedDecimals(address token, uint256 decimals, uint256 most);
    /// @notice The token is not for sale. There is no number.
    error NotListed(address token);
    /// @notice A lot is on sale, or its floor is still open.
    error LotOpen(address token, uint256 left, uint256 closesAt);
    /// @notice By the oracle, what lies here is worth too little to begin.
    error LotTooSmall(address token, uint256 worth, uint256 minimum);
    /// @notice There is none on sale, or none is left of it. The last one closes or closed at `closesAt`,
    /// counted from zero where there was none.
    error NoLot(address token, uint256 left, uint256 closesAt);
    /// @notice A purchase of nothing. There is no number to give.
    error NothingAsked();
    /// @notice The price now is above what the buyer would pay, in assets.
    error PriceAboveMost(uint256 price, uint256 most);
    /// @notice The asset delivered something else than was asked.
    error TransferMismatch(uint256 asked, uint256 received);

    /// @notice The asset's price is read there from now on; heartbeat in seconds.
    event AssetFeedChanged(address indexed feed, uint256 heartbeat);
    /// @notice A token is for sale on these terms.
    event Listed(address indexed token, Terms terms);
    /// @notice A token is for sale no more.
    event Unlisted(address indexed token, address indexed by);
    /// @notice A lot is on sale until `closesAt`.
    /// @param worth Assets by the oracle, as of now.
    event Started(address indexed token, uint256 amount, uint256 worth, uint256 closesAt);
    /// @notice `amount` of a token was bought for `assets`; `left` is what the lot still has, in the token's unit.
    event Sold(
        address indexed token,
        address indexed buyer,
        address indexed receiver,
        uint256 amount,
        uint256 assets,
        uint256 left
    );
    /// @notice Assets that lay here went to the vault.
    event Forwarded(uint256 assets);

    /// @notice Who is paid. Immutable.
    function vault() external view returns (address);

    /// @notice What is paid with: the vault's asset. Immutable.
    function asset() external view returns (address);

    /// @notice Chainlink's price of the asset, and seconds after which it is stale.
    function assetFeed() external view returns (address feed, uint256 heartbeat);

    /// @notice How a token is sold; an empty feed: it is not.
    function termsOf(address token) external view returns (Terms memory);

    /// @notice What is left of a token's lot, also of one that is over.
    function lotOf(address token) external view returns (Lot memory);

    /// @notice Assets that `amount` of a token costs now, rounded up. Reverts where {buy} would: nothing on sale, a feed silent.
    function priceOf(address token, uint256 amount) external view returns (uint256 assets);

    /// @notice The asset's feed, heartbeat in seconds. Owner only ({NotOwner}).
    /// @dev - MUST revert for a feed without code, a heartbeat of zero or over 3 days ({OutOfRange}), and {UnsupportedDecimals}.
    function setAssetFeed(address feed, uint256 heartbeat) external;

    /// @notice Puts a token up for sale, or changes how it is sold; a lot of it that is on sale is over. Owner only
    /// ({NotOwner}).
    /// @dev - MUST refuse what the vault's positions are made of ({NotForSale}), another vault's asset ({AssetNotVaults}), and terms
    /// out of bounds ({OutOfRange}).
    function list(address token, Terms calldata terms) external;

    /// @notice Sells no more of a token: what lies here stays. Guardian or owner ({NotGuardianOrOwner}).
    /// @dev - MUST revert with {NotListed} for a token that is not for sale.
    function unlist(address token) external;

    /// @notice Begins a lot of all that lies here of a token. Anybody, once the last lot is sold or over.
    /// @dev - MUST revert with {NotForSale}, {NotListed}, {LotOpen}, {LotTooSmall}, and while a feed is silent.
    function start(address token) external;

    /// @notice Buys from a lot at the price now; the asset goes from the caller straight to the vault. Anybody.
    /// @dev - MUST NOT sell under the floor by the oracle of the moment, nor pay anybody but the vault.
    /// - MUST revert with {NotForSale}, {NothingAsked}, {NotListed}, {NoLot}, {PriceAboveMost}, {TransferMismatch}, and while a feed
    /// is silent.
    /// @param amount Most to buy: what is left, where that is less.
    /// @param mostAssets Most to pay for it.
    /// @param receiver Who gets the token.
    /// @return sold In the token's unit. @return assets What was paid.
    function buy(
        address token,
        uint256 amount,
        uint256 mostAssets,
        address receiver
    ) external returns (uint256 sold, uint256 assets);

    /// @notice Sends assets that lie here, which nothing here should be paid in, to the vault. Anybody.
    function forward() external returns (uint256 assets);
}
