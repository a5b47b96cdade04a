// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAdapter} from "./interfaces/IAdapter.sol";
import {IRewardAuction} from "./interfaces/IRewardAuction.sol";
import {IVault} from "./interfaces/IVault.sol";
import {IAggregatorV3} from "./interfaces/external/IAggregatorV3.sol";
import {FreshPrice} from "./libraries/FreshPrice.sol";

/// @title Rewards of venues, sold to anybody for the vault's asset
/// @notice
/// WHAT IT PROMISES
/// - What lies here leaves by a sale only, and the sale's whole price goes from the buyer to the vault in the same call. No
///   keeper, guardian or owner is ever paid or can take a token out. To the vault it is a gain like any other: idle grows, and
///   the share price by `maxRate` at the most, so that whoever enters before a sale and leaves after it gains nothing of it.
/// - No sale under `floor` × the oracle's price at that moment. A feed that is stale, of the future or not positive: no sale.
///
/// A LOT
/// - Anybody begins it with all that lies here, once that is worth `minimumLot`. The price is a share of the oracle's price of
///   each moment, and falls by the second from `premium` to `floor` over `duration`. The floor is then open for as long again,
///   after which the lot is over. What nobody bought stays, and anybody may begin a new lot.
/// - What arrives while a lot is on sale waits for the next. Otherwise a small lot would be run down to the floor, and then
///   all that venues owe released into it.
/// - So nobody resets a price before those who wait for it had the floor for a whole `duration`, except by buying all that is
///   left; and nobody keeps it up: a lot always ends at the floor.
///
/// WHAT IT NEVER SELLS
/// - The asset, the vault's shares, and what an adapter of the vault calls its receipt or its venue, listed or not. This is the
///   second lock: adapters let go of none of these. Assets that come here are sent on to the vault.
///
/// TRUST
/// - The vault's owner, a timelock, lists tokens and chooses feeds, within the bounds below; the first ones stand from the
///   beginning. A feed that is another token's, or wrong while fresh, sells at a wrong price: `floor` is no better than the
///   feed.
/// - The guardian may take a token off sale. Only the owner lists it again.
/// - Tokens are read as ERC-20 with the decimals that they had when they were listed. One that charges on transfer gives the
///   buyer less, one that calls back finds the lot already reduced and the vault already paid.
contract RewardAuction is IRewardAuction, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @param exponent Decimals of the token and of its feed together.
    struct Listing {
        Terms terms;
        uint8 exponent;
    }

    uint256 private constant WAD = 1e18;
    uint256 private constant MOST_PREMIUM = 2 * WAD;
    uint256 private constant LEAST_FLOOR = (8 * WAD) / 10;
    uint256 private constant LEAST_DURATION = 1 hours;
    uint256 private constant MOST_DURATION = 7 days;
    /// @dev Chainlink's slowest feeds report once a day, some once in two.
    uint256 private constant MOST_HEARTBEAT = 3 days;
    uint256 private constant MOST_DECIMALS = 24;

    /// @inheritdoc IRewardAuction
    address public immutable vault;
    /// @inheritdoc IRewardAuction
    address public immutable asset;
    uint256 private immutable ASSET_DECIMALS;

    IAggregatorV3 private feedOfAsset;
    uint32 private heartbeatOfAsset;
    /// @dev Decimals of the asset and of its feed together.
    uint8 private exponentOfAsset;
    mapping(address token => Listing) private listings;
    mapping(address token => Lot) private lots;

    modifier onlyOwner() {
        if (msg.sender != IVault(vault).owner()) revert NotOwner(msg.sender);
        _;
    }

    /// @param vault_ May be an address that the vault will be created at. So who deploys both lists the first tokens, as the
    /// first configuration of the vault is his: its owner could not before his delay.
    /// @param asset_ The vault's asset, which is compared when the owner lists a token, and by the adapters that sell here.
    /// @param heartbeat Of the asset's feed, in seconds.
    constructor(address vault_, address asset_, address feed, uint256 heartbeat, Offer[] memory offers) {
        vault = vault_;
        asset = asset_;
        ASSET_DECIMALS = decimalsOf(asset_);
        putFeed(feed, heartbeat);
        // Which tokens are a position of the vault's can only be asked once it is there: at each sale.
        for (uint256 i; i < offers.length; ++i) putUp(offers[i].token, offers[i].terms);
    }

    /* OWNER */

    /// @inheritdoc IRewardAuction
    function setAssetFeed(address feed, uint256 heartbeat) external onlyOwner {
        putFeed(feed, heartbeat);
    }

    /// @inheritdoc IRewardAuction
    function list(address token, Terms calldata terms) external onlyOwner {
        address vaults = IVault(vault).asset();
        if (vaults != asset) revert AssetNotVaults(asset, vaults);
        requireForSale(token);
        delete lots[token];
        putUp(token, terms);
    }

    /* GUARDIAN */

    /// @inheritdoc IRewardAuction
    function unlist(address token) external {
        if (msg.sender != IVault(vault).guardian() && msg.sender != IVault(vault).owner()) {
            revert NotGuardianOrOwner(msg.sender);
        }
        if (listings[token].terms.feed == address(0)) revert NotListed(token);
        delete lots[token];
        delete listings[token];
        emit Unlisted(token, msg.sender);
    }

    /* ANYBODY */

    /// @inheritdoc IRewardAuction
    function start(address token) external nonReentrant {
        requireForSale(token);
        Listing memory listing = listed(token);
        Lot memory last = lots[token];
        uint256 closesAt = last.startedAt + 2 * uint256(listing.terms.duration);
        if (last.left != 0 && block.timestamp < closesAt) revert LotOpen(token, last.left, closesAt);
        uint256 amount = Math.min(IERC20(token).balanceOf(address(this)), type(uint128).max);
        uint256 worth = assetsFor(listing, amount, WAD, Math.Rounding.Floor);
        if (worth < listing.terms.minimumLot) revert LotTooSmall(token, worth, listing.terms.minimumLot);
        lots[token] = Lot(uint128(amount), uint64(block.timestamp));
        emit Started(token, amount, worth, block.timestamp + 2 * uint256(listing.terms.duration));
    }

    /// @inheritdoc IRewardAuction
    function buy(
        address token,
        uint256 amount,
        uint256 mostAssets,
        address receiver
    ) external nonReentrant returns (uint256 sold, uint256 assets) {
        requireForSale(token);
        if (amount == 0) revert NothingAsked();
        uint256 left = onSale(token);
        sold = Math.min(amount, left);
        assets = priceNow(token, sold);
        if (assets > mostAssets) revert PriceAboveMost(assets, mostAssets);
        left -= sold;
        lots[token].left = uint128(left);
        emit Sold(token, msg.sender, receiver, sold, assets, left);
        uint256 before = IERC20(asset).balanceOf(vault);
        IERC20(asset).safeTransferFrom(msg.sender, vault, assets);
        uint256 received = IERC20(asset).balanceOf(vault) - before;
        if (received != assets) revert TransferMismatch(assets, received);
        IERC20(token).safeTransfer(receiver, sold);
    }

    /// @inheritdoc IRewardAuction
    function forward() external nonReentrant returns (uint256 assets) {
        assets = IERC20(asset).balanceOf(address(this));
        if (assets == 0) return 0;
        emit Forwarded(assets);
        IERC20(asset).safeTransfer(vault, assets);
    }

    /* VIEWS */

    /// @inheritdoc IRewardAuction
    function assetFeed() external view returns (address, uint256) {
        return (address(feedOfAsset), heartbeatOfAsset);
    }

    /// @inheritdoc IRewardAuction
    function termsOf(address token) external view returns (Terms memory) {
        return listings[token].terms;
    }

    /// @inheritdoc IRewardAuction
    function lotOf(address token) external view returns (Lot memory) {
        return lots[token];
    }

    /// @inheritdoc IRewardAuction
    function priceOf(address token, uint256 amount) external view returns (uint256) {
        requireForSale(token);
        onSale(token);
        return priceNow(token, amount);
    }

    /* INTERNALS */

    function putFeed(address feed, uint256 heartbeat) private {
        exponentOfAsset = uint8(ASSET_DECIMALS + checkFeed(feed, heartbeat));
        (feedOfAsset, heartbeatOfAsset) = (IAggregatorV3(feed), uint32(heartbeat));
        emit AssetFeedChanged(feed, heartbeat);
    }

    function putUp(address token, Terms memory terms) private {
        requireWithin("premium", terms.premium, WAD, MOST_PREMIUM);
        requireWithin("floor", terms.floor, LEAST_FLOOR, WAD);
        requireWithin("duration", terms.duration, LEAST_DURATION, MOST_DURATION);
        requireWithin("minimumLot", terms.minimumLot, 1, type(uint128).max);
        uint256 exponent = decimalsOf(token) + checkFeed(terms.feed, terms.heartbeat);
        listings[token] = Listing(terms, uint8(exponent));
        emit Listed(token, terms);
    }

    /// @dev What is left of the lot that is on sale; also of a token that holds less than that now, as some may.
    function onSale(address token) private view returns (uint256 left) {
        Lot memory lot = lots[token];
        uint256 closesAt = lot.startedAt + 2 * uint256(listed(token).terms.duration);
        left = Math.min(lot.left, IERC20(token).balanceOf(address(this)));
        if (left == 0 || block.timestamp >= closesAt) revert NoLot(token, left, closesAt);
    }

    /// @dev Of a lot that is on sale.
    function priceNow(address token, uint256 amount) private view returns (uint256) {
        Listing memory listing = listings[token];
        (uint256 premium, uint256 floor) = (listing.terms.premium, listing.terms.floor);
        uint256 duration = listing.terms.duration;
        uint256 passed = Math.min(block.timestamp - lots[token].startedAt, duration);
        uint256 share = premium - ((premium - floor) * passed) / duration;
        return assetsFor(listing, amount, share, Math.Rounding.Ceil);
    }

    /// @dev `share` (WAD) of what the oracles say that an amount is worth.
    function assetsFor(
        Listing memory listing,
        uint256 amount,
        uint256 share,
        Math.Rounding rounding
    ) private view returns (uint256) {
        uint256 price = FreshPrice.read(IAggregatorV3(listing.terms.feed), listing.terms.heartbeat);
        uint256 assetPrice = FreshPrice.read(feedOfAsset, heartbeatOfAsset);
        return
            Math.mulDiv(
                amount,
                share * price * 10 ** exponentOfAsset,
                WAD * assetPrice * 10 ** listing.exponent,
                rounding
            );
    }

    function listed(address token) private view returns (Listing memory listing) {
        listing = listings[token];
        if (listing.terms.feed == address(0)) revert NotListed(token);
    }

    /// @dev At most ten adapters; one that does not say what it holds stops the sale.
    function requireForSale(address token) private view {
        if (token == asset || token == vault) revert NotForSale(token);
        address[] memory adapters = IVault(vault).adapters();
        for (uint256 i; i < adapters.length; ++i) {
            if (token == IAdapter(adapters[i]).receipt() || token == IAdapter(adapters[i]).venue()) {
                revert NotForSale(token);
            }
        }
    }

    function checkFeed(address feed, uint256 heartbeat) private view returns (uint256 decimals) {
        FreshPrice.check(IAggregatorV3(feed), heartbeat);
        requireWithin("heartbeat", heartbeat, 1, MOST_HEARTBEAT);
        return decimalsOf(feed);
    }

    /// @dev Of a token or a feed.
    function decimalsOf(address account) private view returns (uint256 decimals) {
        decimals = IERC20Metadata(account).decimals();
        if (decimals > MOST_DECIMALS) revert UnsupportedDecimals(account, decimals, MOST_DECIMALS);
    }

    function requireWithin(bytes32 field, uint256 given, uint256 least, uint256 most) private pure {
        if (given < least || given > most) revert OutOfRange(field, given, least, most);
    }
}
