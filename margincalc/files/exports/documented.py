"""The field names of answers, as their venues document them, read or not.

They were looked up on 2026-11-26, on the pages that each venue's reader names. What an answer has
beside them is new, and is named: it may matter to a margin. A section not listed is not checked.
"""

from collections.abc import Mapping

FIELDS: Mapping[str, Mapping[str, str]] = {
    "deribit": {
        "account summaries": """
            additional_reserve affiliate_promotion_fee available_funds
            available_subaccount_transfer_funds available_withdrawal_funds balance
            block_rfq_self_match_prevention creation_timestamp cross_collateral_enabled currency
            delta_total delta_total_map deposit_address email equity estimated_liquidation_ratio
            estimated_liquidation_ratio_map fee_balance fee_group fees futures_pl
            futures_session_rpl futures_session_upl has_non_block_chain_equity id initial_margin
            interuser_transfers_enabled is_direct_access_allowed limits locked_balance
            login_enabled maintenance_margin margin_balance margin_model mmp_enabled options_delta
            options_gamma options_gamma_map options_pl options_session_rpl options_session_upl
            options_theta options_theta_map options_value options_vega options_vega_map
            portfolio_margining_enabled projected_delta_total projected_initial_margin
            projected_maintenance_margin receive_notifications referrer_id security_keys_enabled
            self_trading_extended_to_subaccounts self_trading_reject_mode session_rpl session_upl
            spot_reserve system_name total_delta_total_usd total_equity_usd
            total_initial_margin_usd total_maintenance_margin_usd total_margin_balance_usd
            total_pl trading_products_details type username
        """,
        "book summary": """
            ask_iv ask_price base_currency bid_iv bid_price creation_timestamp current_funding
            estimated_delivery_price funding_8h high instrument_name interest_rate last low
            mark_iv mark_price mid_price open_interest price_change quote_currency
            underlying_index underlying_price volume volume_notional volume_usd
        """,
        "instruments": """
            base_currency block_trade_commission block_trade_min_trade_amount
            block_trade_tick_size contract_size counter_currency creation_timestamp
            expiration_timestamp future_type instrument_id instrument_name instrument_type
            is_active isin kind maker_commission max_leverage max_liquidation_commission
            min_trade_amount option_type price_index quote_currency rfq settlement_currency
            settlement_period state strike taker_commission tick_size tick_size_steps
        """,
        "open orders": """
            advanced amount api app_name auto_replaced average_price block_trade cancel_reason
            contracts creation_timestamp direction display_amount filled_amount implv
            instrument_name is_liquidation is_primary_otoco is_rebalance is_secondary_oto label
            last_update_timestamp max_show mmp mmp_cancelled mmp_group mobile oco_ref order_id
            order_state order_type original_order_type oto_order_ids post_only price
            primary_order_id quote quote_id quote_set_id reduce_only refresh_amount
            reject_post_only replaced risk_reducing time_in_force trigger trigger_fill_condition
            trigger_offset trigger_order_id trigger_price trigger_reference_price triggered usd
            user_id web
        """,
        "positions": """
            average_price average_price_usd delta direction estimated_liquidation_price
            floating_profit_loss floating_profit_loss_usd gamma index_price initial_margin
            instrument_name interest_value kind leverage maintenance_margin mark_price
            open_orders_margin realized_funding realized_profit_loss settlement_price size
            size_currency theta total_profit_loss user_id vega
        """,
        "ticker": """
            ask_iv best_ask_amount best_ask_price best_bid_amount best_bid_price bid_iv
            current_funding delivery_price estimated_delivery_price funding_8h greeks index_price
            instrument_name interest_rate interest_value last_price mark_iv mark_price max_price
            min_price open_interest settlement_price state stats timestamp underlying_index
            underlying_price
        """,
    },
    "okx": {
        "balance": """
            adjEq availEq borrowFroz delta deltaLever deltaNeutralStatus details imr isoEq
            mgnRatio mmr notionalUsd notionalUsdForBorrow notionalUsdForFutures
            notionalUsdForOption notionalUsdForSwap ordFroz totalEq uTime upl
        """,
        "instruments": """
            alias auctionEndTime baseCcy category contTdSwTime ctMult ctType ctVal ctValCcy elp
            expTime futureSettlement groupId instCategory instFamily instId instIdCode instType
            lever listTime lotSz maxIcebergSz maxLmtAmt maxLmtSz maxMktAmt maxMktSz maxPlatOILmt
            maxStopSz maxTriggerSz maxTwapSz minSz openType optType posLmtAmt posLmtPct
            preMktSwTime quoteCcy ruleType settleCcy state stk tickSz tradeQuoteCcyList uly upcChg
        """,
        "open orders": """
            accFillSz algoClOrdId algoId attachAlgoClOrdId attachAlgoOrds avgPx cTime cancelSource
            cancelSourceReason category ccy clOrdId fee feeCcy fillPx fillSz fillTime instId
            instType isElpTakerAccess isTpLimit lever linkedAlgoOrd ordId ordType pnl posSide px
            pxType pxUsd pxVol quickMgnType rebate rebateCcy reduceOnly side slOrdPx slTriggerPx
            slTriggerPxType source state stpId stpMode sz tag tdMode tgtCcy tpOrdPx tpTriggerPx
            tpTriggerPxType tradeId tradeQuoteCcy uTime
        """,
        "option summary": """
            askVol bidVol delta deltaBS fwdPx gamma gammaBS instId instType lever markVol realVol
            theta thetaBS ts uly vega vegaBS volLv
        """,
        "position builder": """
            acctLever assets borrowMmr derivMmr eq marginRatio positions riskUnitData totalImr
            totalMmr ts upl
        """,
        "positions": """
            adl availPos avgPx baseBal baseBorrowed baseInterest bePx bizRefId bizRefType cTime
            ccy clSpotInUseAmt closeOrderAlgo deltaBS deltaPA fee fundingFee gammaBS gammaPA
            hedgedPos idxPx imr instId instType interest last lever liab liabCcy liqPenalty liqPx
            margin markPx maxSpotInUseAmt mgnMode mgnRatio mmr nonSettleAvgPx notionalUsd optVal
            pendingCloseOrdLiabVal pnl pos posCcy posId posSide quoteBal quoteBorrowed
            quoteInterest realizedPnl settledPnl spotInUseAmt spotInUseCcy thetaBS thetaPA tradeId
            uTime upl uplLastPx uplRatio uplRatioLastPx usdPx vegaBS vegaPA
        """,
    },
    "bybit": {
        "open orders": """
            avgPrice blockTradeId cancelType closeOnTrigger createType createdTime cumExecFee
            cumExecQty cumExecValue cumFeeDetail extraFees isLeverage lastPriceOnCreated leavesQty
            leavesValue marketUnit ocoTriggerBy ocoTriggerType orderId orderIv orderLinkId
            orderStatus orderType parentOrderLinkId placeType positionIdx price qty reduceOnly
            rejectReason rpiMatched side slLimitPrice slTriggerBy slippageTolerance
            slippageToleranceType smpGroup smpOrderId smpType stopLoss stopOrderType symbol
            takeProfit timeInForce tpLimitPrice tpTriggerBy tpslMode triggerBy triggerDirection
            triggerPrice updatedTime
        """,
        "option tickers": """
            ask1Iv ask1Price ask1Size bid1Iv bid1Price bid1Size change24h delta gamma highPrice24h
            indexPrice lastPrice lowPrice24h markIv markPrice openInterest predictedDeliveryPrice
            symbol theta totalTurnover totalVolume turnover24h underlyingPrice vega volume24h
        """,
        "positions": """
            adlRankIndicator autoAddMargin avgPrice breakEvenPrice bustPrice createdTime
            cumRealisedPnl curRealisedPnl delta gamma isReduceOnly leverage leverageSysUpdatedTime
            liqPrice markPrice mmrSysUpdateTime mmrSysUpdatedTime openTime positionBalance
            positionIM positionIMByMp positionIdx positionMM positionMMByMp positionStatus
            positionValue riskId riskLimitValue seq sessionAvgPrice side size stopLoss symbol
            takeProfit theta tpslMode tradeMode trailingStop unrealisedPnl updatedTime vega
        """,
        "spot tickers": """
            ask1Price ask1Size bid1Price bid1Size highPrice24h lastPrice lowPrice24h prevPrice24h
            price24hPcnt symbol turnover24h usdIndexPrice volume24h
        """,
        "tickers": """
            ask1Price ask1Size basis basisRate basisRateYear bid1Price bid1Size curPreListingPhase
            deliveryFeeRate deliveryTime fundingCap fundingIntervalHour fundingRate highPrice24h
            indexPrice lastPrice lowPrice24h markPrice nextFundingTime openInterest
            openInterestValue preOpenPrice preQty predictedDeliveryPrice prevPrice1h prevPrice24h
            price24hPcnt symbol turnover24h volume24h
        """,
        "wallet balance": """
            accountIMRate accountIMRateByMp accountLTV accountMMRate accountMMRateByMp accountType
            coin totalAvailableBalance totalEquity totalInitialMargin totalInitialMarginByMp
            totalMaintenanceMargin totalMaintenanceMarginByMp totalMarginBalance totalPerpUPL
            totalWalletBalance
        """,
    },
    "derive": {
        "collaterals": """
            amount asset_name asset_type average_price average_price_excl_fees collaterals
            creation_timestamp cumulative_interest currency delta delta_currency initial_margin
            maintenance_margin mark_price mark_value open_orders_margin pending_interest
            realized_pnl realized_pnl_excl_fees subaccount_id total_fees unrealized_pnl
            unrealized_pnl_excl_fees
        """,
        "positions": """
            amount amount_step average_price average_price_excl_fees creation_timestamp
            cumulative_funding delta gamma index_price initial_margin instrument_name
            instrument_type leverage liquidation_price maintenance_margin mark_price mark_value
            net_settlements open_orders_margin pending_funding positions realized_pnl
            realized_pnl_excl_fees subaccount_id theta total_fees unrealized_pnl
            unrealized_pnl_excl_fees vega
        """,
        "subaccount": """
            collaterals collaterals_initial_margin collaterals_maintenance_margin
            collaterals_value currency failed_to_fetch initial_margin is_under_liquidation label
            maintenance_margin manager_id margin_type mm_credits open_orders open_orders_margin
            positions positions_initial_margin positions_maintenance_margin positions_value
            projected_margin_change risk_universe_id subaccount_id subaccount_value
            vault_deposit_holds
        """,
        "ticker": """
            amount_step base_asset_address base_asset_sub_id base_currency base_fee
            best_ask_amount best_ask_price best_bid_amount best_bid_price erc20_details
            fifo_min_allocation five_percent_ask_depth five_percent_bid_depth index_price
            instrument_name instrument_type is_active maker_fee_rate mark_price
            mark_price_fee_rate_cap max_price maximum_amount min_price minimum_amount
            option_details option_pricing perp_details pro_rata_amount_step pro_rata_fraction
            quote_currency scheduled_activation scheduled_deactivation stats taker_fee_rate
            tick_size timestamp
        """,
    },
    "ccxt": {
        "open orders": """
            amount average clientOrderId cost datetime fee fees filled id info lastTradeTimestamp
            lastUpdateTimestamp postOnly price reduceOnly remaining side status stopLossPrice
            stopPrice symbol takeProfitPrice timeInForce timestamp trades triggerPrice type
        """,
        "option chain": """
            askPrice baseVolume bidPrice change currency datetime impliedVolatility info lastPrice
            markPrice midPrice openInterest percentage quoteVolume symbol timestamp
            underlyingPrice
        """,
        "positions": """
            collateral contractSize contracts datetime entryPrice hedged id info initialMargin
            initialMarginPercentage isolated lastPrice lastUpdateTimestamp leverage
            liquidationPrice maintenanceMargin maintenanceMarginPercentage marginMode marginRatio
            markPrice notional percentage realizedPnl side stopLossPrice symbol takeProfitPrice
            timestamp unrealizedPnl
        """,
    },
}
"""By venue and section."""
